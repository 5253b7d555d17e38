package dev.quern.serve.http;

/// A row of the table of routes.
///
/// @param path exact, or with `/*` at its end, which stands for what [Exchange#rest()] gives
/// @param errors how the route's protocol writes an error
/// @param open whether it is answered without a key, and while the server ends
public record Route(
    String method, String path, Endpoint endpoint, ErrorStyle errors, boolean open) {
  private static final String ANY = "/*";

  public static Route get(String path, Endpoint endpoint) {
    return new Route("GET", path, endpoint, ErrorStyle.OPENAI, false);
  }

  public static Route post(String path, Endpoint endpoint) {
    return new Route("POST", path, endpoint, ErrorStyle.OPENAI, false);
  }

  /// A route of Ollama's protocol.
  public static Route ollama(String method, String path, Endpoint endpoint) {
    return new Route(method, path, endpoint, ErrorStyle.OLLAMA, false);
  }

  /// The same, answered without a key, and while the server ends.
  public Route asOpen() {
    return new Route(method, path, endpoint, errors, true);
  }

  /// The same in another protocol.
  public Route withErrors(ErrorStyle errors) {
    return new Route(method, path, endpoint, errors, open);
  }

  boolean matches(String requested) {
    return path.endsWith(ANY)
        ? requested.startsWith(prefix()) && requested.length() > prefix().length()
        : path.equals(requested);
  }

  /// The path up to what the star stands for.
  String prefix() {
    return path.endsWith(ANY) ? path.substring(0, path.length() - 1) : path;
  }
}
