//! HTTP: REST, WebSocket, dashboard.
