//! Every address, its methods and the role each needs.

use actix_web::{
    HttpRequest, HttpResponse, Resource, ResponseError,
    http::{Method, header},
    web::{self, ServiceConfig},
};

use super::{
    access::Role::{Admin, Nobody, Operator, Readonly},
    assets, batch, daemons, devices, edit,
    error::Problem,
    events,
    guard::route,
    health, hooks, job_files, job_log, jobs, plugins, queue, resume, schedules, station, submit,
    ws,
};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;
const PATCH: Method = Method::PATCH;

pub(super) fn register(config: &mut ServiceConfig) {
    config
        .service(at("/health").route(route(GET, Nobody, health::health)))
        .service(at("/ready").route(route(GET, Nobody, health::ready)))
        .service(at("/metrics").route(route(GET, Nobody, health::metrics)))
        .service(at("/ws").route(route(GET, Nobody, ws::connect)))
        .service(web::scope("/api/v1").configure(api).default_service(web::to(nothing_here)))
        .service(at("/{file:.*}").route(route(GET, Nobody, assets::serve)));
}

fn api(config: &mut ServiceConfig) {
    config
        .service(at("/status").route(route(GET, Readonly, health::status)))
        .service(at("/metrics/history").route(route(GET, Readonly, health::history)))
        .service(at("/events").route(route(GET, Readonly, events::list)))
        .configure(of_jobs)
        .service(at("/devices").route(route(GET, Readonly, devices::list)))
        .service(at("/devices/detect").route(route(GET, Readonly, devices::detect)).route(route(
            POST,
            Operator,
            devices::probe,
        )))
        .service(at("/devices/{name}").route(route(GET, Readonly, devices::show)))
        .service(at("/devices/{name}/drawing").route(route(GET, Readonly, devices::drawing)))
        .service(at("/devices/{name}/estop").route(route(POST, Operator, devices::estop)))
        .service(
            at("/devices/{name}/{action:connect|disconnect|jog|send|home|unlock}").route(route(
                POST,
                Operator,
                devices::act,
            )),
        )
        .service(at("/daemons").route(route(GET, Readonly, daemons::list)))
        .service(
            // A daemon may be called so.
            at("/daemons/{verb:start|stop|restart}")
                .route(route(POST, Operator, daemons::bulk))
                .route(route(GET, Readonly, daemons::show)),
        )
        .service(at("/daemons/{name}").route(route(GET, Readonly, daemons::show)))
        .service(at("/daemons/{name}/log").route(route(GET, Readonly, daemons::log)))
        .service(at("/daemons/{name}/{action:start|stop|restart}").route(route(
            POST,
            Operator,
            daemons::act,
        )))
        .service(at("/reconcile").route(route(POST, Operator, daemons::reconcile)))
        .service(at("/hooks").route(route(GET, Readonly, hooks::list)))
        .service(at("/hooks/runs").route(route(GET, Readonly, hooks::runs)))
        .service(at("/hooks/runs/{id}").route(route(GET, Readonly, hooks::show)))
        .service(at("/hooks/runs/{id}/retry").route(route(POST, Admin, hooks::retry)))
        .service(at("/hooks/test").route(route(POST, Admin, hooks::test)))
        .service(at("/plugins").route(route(GET, Readonly, plugins::list)).route(route(
            POST,
            Admin,
            plugins::install,
        )))
        .service(
            at("/plugins/{name:reload}").route(route(POST, Admin, plugins::reload)).route(route(
                DELETE,
                Admin,
                plugins::remove,
            )),
        )
        .service(at("/plugins/{name}").route(route(DELETE, Admin, plugins::remove)))
        .service(at("/shutdown").route(route(POST, Admin, station::shutdown)))
        .service(at("/restart").route(route(POST, Admin, station::restart)))
        .service(at("/reload").route(route(POST, Admin, station::reload)));
    #[cfg(feature = "faults")]
    config.service(at("/daemons/{name}/fault").route(route(POST, Admin, daemons::fault)));
}

fn of_jobs(config: &mut ServiceConfig) {
    config
        .service(at("/queue").route(route(GET, Readonly, queue::show)))
        .service(at("/queue/{verb:pause|resume|drain}").route(route(POST, Operator, queue::set)))
        .service(at("/jobs").route(route(GET, Readonly, jobs::list)).route(route(
            POST,
            Operator,
            submit::submit,
        )))
        .service(at("/jobs/batch").route(route(POST, Operator, batch::submit)))
        .service(
            at("/jobs/{id}")
                .route(route(GET, Readonly, jobs::show))
                .route(route(PATCH, Operator, edit::patch))
                .route(route(DELETE, Operator, jobs::delete)),
        )
        .service(at("/jobs/{id}/history").route(route(GET, Readonly, jobs::history)))
        .service(at("/jobs/{id}/file").route(route(GET, Readonly, job_files::file)))
        .service(at("/jobs/{id}/log").route(route(GET, Readonly, job_log::log)))
        .service(at("/jobs/{id}/toolpath").route(route(GET, Readonly, job_files::toolpath)))
        .service(at("/jobs/{id}/resume").route(route(GET, Readonly, resume::show)).route(route(
            POST,
            Operator,
            resume::resume,
        )))
        .service(at("/jobs/{id}/{action:pause|skip|cancel|retry|release}").route(route(
            POST,
            Operator,
            jobs::act,
        )))
        .service(at("/schedules").route(route(GET, Readonly, schedules::list)).route(route(
            POST,
            Operator,
            schedules::add,
        )))
        .service(at("/schedules/{name}").route(route(GET, Readonly, schedules::show)).route(route(
            DELETE,
            Operator,
            schedules::delete,
        )))
        .service(at("/schedules/{name}/run").route(route(POST, Operator, schedules::run)))
        .service(at("/schedules/{name}/{verb:pause|resume}").route(route(
            POST,
            Operator,
            schedules::set,
        )));
}

/// An address; a method it does not have is answered with those it has.
fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(no_such_method))
}

async fn no_such_method(request: HttpRequest) -> HttpResponse {
    let pattern = request.match_pattern().unwrap_or_default();
    let allowed = match pattern.strip_prefix("/api/v1").unwrap_or_default() {
        "/jobs"
        | "/jobs/{id}/resume"
        | "/schedules"
        | "/plugins"
        | "/devices/detect"
        | "/daemons/{verb:start|stop|restart}" => "GET, POST",
        "/jobs/{id}" => "GET, PATCH, DELETE",
        "/schedules/{name}" => "GET, DELETE",
        "/plugins/{name:reload}" => "DELETE, POST",
        "/plugins/{name}" => "DELETE",
        "/shutdown"
        | "/restart"
        | "/reload"
        | "/reconcile"
        | "/hooks/test"
        | "/jobs/batch"
        | "/schedules/{name}/run"
        | "/schedules/{name}/{verb:pause|resume}"
        | "/queue/{verb:pause|resume|drain}" => "POST",
        path if path.contains("/{action:")
            || path.ends_with("/estop")
            || path.ends_with("/retry") =>
        {
            "POST"
        }
        _ => "GET",
    };
    let problem = Problem::MethodNotAllowed { method: request.method().to_string() };
    let mut response = problem.error_response();
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}

pub(super) async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::NotFound(format!("there is nothing at {}", request.path())))
}
