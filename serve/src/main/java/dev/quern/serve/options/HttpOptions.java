package dev.quern.serve.options;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/// Where a server listens, to whom, and what it bears. Made by [#defaults()] and changed by the
/// `with` methods; the constructor grows with them and is no promise.
///
/// @param host name or address to listen on
/// @param port 0: any that is free
/// @param maxBody most bytes of a request's body
/// @param maxConnections most connections at once; others wait in the system's queue
/// @param idleTimeout how long a connection may be still: between requests, while a request is
///   sent, and while an answer waits to be read. A request must have come whole within it
/// @param keys who may ask, if not everybody
/// @param origins of web pages that may ask, such as `https://example.org`
/// @param tls certificate and key, if connections are to be encrypted
/// @param requestLog hears a line of each request that was answered, if anybody is to
/// @since 0.1
/// @stability api
public record HttpOptions(
    String host,
    int port,
    int maxBody,
    int maxConnections,
    Duration idleTimeout,
    Optional<ApiKeys> keys,
    List<String> origins,
    Optional<Tls> tls,
    Optional<Consumer<String>> requestLog) {

  public HttpOptions {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(keys, "keys");
    Objects.requireNonNull(tls, "tls");
    Objects.requireNonNull(requestLog, "requestLog");
    Objects.requireNonNull(idleTimeout, "idleTimeout");
    origins = List.copyOf(origins);
    ServeException.require("host", host, !host.isBlank(), "a name or an address");
    ServeException.require("port", port, port >= 0 && port <= 65_535, "0 (any) to 65535");
    ServeException.require("max-body", maxBody, maxBody >= 1, "bytes >= 1");
    ServeException.require("connections", maxConnections, maxConnections >= 1, ">= 1");
    ServeException.require(
        "idle timeout", idleTimeout, idleTimeout.compareTo(Duration.ofSeconds(1)) >= 0, ">= 1 s");
    origins.forEach(origin ->
        ServeException.require(
            "cors",
            origin,
            origin.matches("https?://[^/]+"),
            "an origin such as https://example.org, without a path"));
  }

  /// 127.0.0.1:8080, bodies of 8 MB, 512 connections, 30 s, for everybody on this machine, no web
  /// pages, no TLS, no log of requests.
  public static HttpOptions defaults() {
    return new HttpOptions(
        "127.0.0.1",
        8080,
        8_000_000,
        512,
        Duration.ofSeconds(30),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  /// Whether nobody beyond this machine reaches the host.
  public boolean isLoopback() {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException _) { // listening on it fails, and says so
      return false;
    }
  }

  /// Whether everybody on the network can ask.
  public boolean isWideOpen() {
    return keys.isEmpty() && !isLoopback();
  }

  public HttpOptions withAddress(String host, int port) {
    return new HttpOptions(
        host, port, maxBody, maxConnections, idleTimeout, keys, origins, tls, requestLog);
  }

  public HttpOptions withLimits(int maxBody, int maxConnections, Duration idleTimeout) {
    return new HttpOptions(
        host, port, maxBody, maxConnections, idleTimeout, keys, origins, tls, requestLog);
  }

  public HttpOptions withKeys(ApiKeys keys) {
    return new HttpOptions(
        host,
        port,
        maxBody,
        maxConnections,
        idleTimeout,
        Optional.of(keys),
        origins,
        tls,
        requestLog);
  }

  public HttpOptions withOrigins(List<String> origins) {
    return new HttpOptions(
        host, port, maxBody, maxConnections, idleTimeout, keys, origins, tls, requestLog);
  }

  public HttpOptions withTls(Tls tls) {
    return new HttpOptions(
        host,
        port,
        maxBody,
        maxConnections,
        idleTimeout,
        keys,
        origins,
        Optional.of(tls),
        requestLog);
  }

  public HttpOptions withRequestLog(Consumer<String> requestLog) {
    return new HttpOptions(
        host,
        port,
        maxBody,
        maxConnections,
        idleTimeout,
        keys,
        origins,
        tls,
        Optional.of(requestLog));
  }
}
