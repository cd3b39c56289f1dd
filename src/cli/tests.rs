//! The client against a real HTTP and WebSocket server on a real socket.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header,
    web::{self, Bytes},
};
use actix_web_actors::ws;
use serde_json::{Value, json};

use super::{
    args::Global,
    client::Client,
    failure::Failure,
    print::Out,
    program::ProgramArgs,
    submit::{self, RunArgs, SubmitArgs},
    watch,
    wish::Wishes,
};
use crate::domain::{JobId, Priority};

type Seen = Arc<Mutex<Vec<String>>>;

/// Answers to a SUBSCRIBE as a station does, then tells how a job goes.
struct Session(JobId);

impl actix::Actor for Session {
    type Context = ws::WebsocketContext<Self>;
}

impl actix::StreamHandler<Result<ws::Message, ws::ProtocolError>> for Session {
    fn handle(&mut self, item: Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        let Ok(ws::Message::Text(text)) = item else { return };
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(message["type"], "SUBSCRIBE");
        assert_eq!(message["channels"], json!([format!("job:{}", self.0)]));
        let id = self.0;
        ctx.ping(b"are you there");
        ctx.text(json!({"type": "subscribed", "channels": [], "seq": 3}).to_string());
        ctx.text(
            json!({"type": "job_progress", "job_id": id, "progress_percentage": 50.0}).to_string(),
        );
        ctx.text(
            json!({"type": "job_state_change", "job_id": id, "job_name": "rose", "seq": 4,
                   "from_state": "RUNNING", "to_state": "COMPLETED", "reason": ""})
            .to_string(),
        );
    }
}

async fn accepted(request: HttpRequest, body: Bytes, seen: web::Data<Seen>) -> HttpResponse {
    let kind = request.headers().get(header::CONTENT_TYPE).unwrap().to_str().unwrap();
    let body = String::from_utf8_lossy(&body);
    assert!(request.headers().contains_key("idempotency-key"));
    assert_eq!(request.headers().get(header::HOST).unwrap(), "localhost");
    seen.lock().unwrap().push(format!("{kind} {} {body}", request.query_string()));
    HttpResponse::Created().json(json!({"id": JobId::new(), "name": "rose", "state": "QUEUED"}))
}

/// A server on `socket`, for as long as the system of the test lives.
fn serve(socket: &Path, job: JobId) -> Seen {
    let seen = Seen::default();
    let data = web::Data::new(Arc::clone(&seen));
    let running = json!({"id": job, "name": "rose", "state": "RUNNING", "error": null});
    let server = HttpServer::new(move || {
        let running = running.clone();
        let conflict = || async {
            HttpResponse::Conflict()
                .content_type("application/problem+json")
                .body(r#"{"title":"Conflict","status":409,"detail":"device \"a\" is busy"}"#)
        };
        App::new()
            .app_data(data.clone())
            .route("/api/v1/jobs", web::post().to(accepted))
            .route(
                "/api/v1/jobs/{id}",
                web::get().to(move || {
                    let job = HttpResponse::Ok().json(&running);
                    async { job }
                }),
            )
            .route("/api/v1/devices/a/home", web::post().to(conflict))
            .route(
                "/ws",
                web::get().to(move |request: HttpRequest, stream: web::Payload| async move {
                    ws::start(Session(job), &request, stream)
                }),
            )
    });
    let server = server.workers(1).disable_signals().bind_uds(socket).unwrap().run();
    actix::spawn(server);
    seen
}

fn text() -> Out {
    Out::new(&Global::default())
}

#[actix::test]
async fn files_and_programs_become_jobs() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("s.sock");
    let seen = serve(&socket, JobId::new());
    let client = Client::on_socket(&socket);
    let file = directory.path().join("rose.gcode");
    fs::write(&file, "G0 X1\n").unwrap();
    let args = SubmitArgs {
        files: vec![file],
        device: Some("plotter 1".to_owned()),
        wishes: Wishes { priority: Some(Priority(10)), hold: true, ..Wishes::default() },
        ..SubmitArgs::default()
    };
    submit::submit(&client, text(), &args).await.unwrap();
    let args = RunArgs {
        template: None,
        timeout: Some(1.5),
        retries: 2,
        retry_delay: None,
        group: None,
        wishes: Wishes::default(),
        batch: None,
        program: ProgramArgs::default(),
        command: vec!["ls".to_owned(), "-l".to_owned()],
    };
    submit::run(&client, text(), &args).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(
        *seen,
        [
            "application/octet-stream name=rose.gcode&device=plotter%201&priority=10&hold=true \
             G0 X1\n",
            r#"application/json  {"command":["ls","-l"],"kind":"command","max_attempts":3,"timeout_seconds":1.5}"#,
        ]
    );
}

#[actix::test]
async fn a_job_is_watched_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("s.sock");
    let job = JobId::new();
    serve(&socket, job);
    watch::until_ended(&Client::on_socket(&socket), text(), &[job]).await.unwrap();
}

#[actix::test]
async fn a_refusal_is_told_in_the_words_of_the_station() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("s.sock");
    serve(&socket, JobId::new());
    let client = Client::on_socket(&socket);
    let failure = client.post("/api/v1/devices/a/home", &json!({})).await.unwrap_err();
    assert_eq!((failure.code(), failure.to_string()), (1, "device \"a\" is busy".to_owned()));
    let failure = client.get("/api/v1/nothing").await.unwrap_err();
    assert_eq!(failure.code(), 5);
    let nobody = Client::on_socket(&directory.path().join("other.sock"));
    let failure = nobody.get("/health").await.unwrap_err();
    assert!(matches!(failure, Failure::NotRunning(_)), "{failure}");
    let failure = watch::until_ended(&nobody, text(), &[JobId::new()]).await.unwrap_err();
    assert_eq!(failure.code(), 3, "{failure}");
}
