/// The seam between Jetty and the endpoints: routes, requests and their JSON, streams of events,
/// errors, keys. No endpoint names a class of Jetty's, and nothing here knows of a model.
package dev.quern.serve.http;
