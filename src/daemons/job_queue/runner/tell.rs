//! Says how far a job is.

use std::{sync::Arc, time::Duration};

use super::Host;
use crate::domain::{JobId, Live, Position, Progress};

/// Shows it and publishes it; `ran` is for how long it has run.
pub(super) fn tell(host: &Host, id: JobId, progress: Progress, ran: Duration) {
    let eta = progress.eta_seconds;
    let live = Arc::new(Live::JobProgress {
        job_id: id,
        progress_percentage: progress.progress_percentage,
        progress: progress.progress_percentage / 100.0,
        lines_acknowledged: 0,
        points_plotted: 0,
        lines_total: 0,
        total_points: 0,
        current_layer: 1,
        total_layers: 1,
        eta_seconds: eta,
        estimated_remaining: eta,
        total_time_seconds: ran.as_secs_f64(),
        pen_down_time_seconds: 0.0,
        position: Position::default(),
        metadata: progress.metadata(),
    });
    host.board.show_progress(id, progress, Arc::clone(&live));
    host.feed.live(&live);
}
