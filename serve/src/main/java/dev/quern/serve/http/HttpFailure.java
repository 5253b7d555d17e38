package dev.quern.serve.http;

import dev.quern.Blame;
import dev.quern.QuernException;
import java.io.Serial;
import java.util.Map;
import java.util.Optional;

/// What a client is told instead of an answer: a status, and one line that says what, where, what
/// was expected, and the fix. An [ErrorStyle] makes a protocol's error object of it.
public final class HttpFailure extends QuernException {
  @Serial private static final long serialVersionUID = 1L;

  private final int status;
  private final String code;
  private final String param; // null where it is about no field
  private final transient Map<String, String> headers;

  /// @param code a word for programs, such as `context_length_exceeded`
  /// @param param the request's field that is to blame, as a path such as `messages[0].role`
  public HttpFailure(int status, String code, Optional<String> param, String message) {
    this(status, code, param, message, Map.of(), null);
  }

  private HttpFailure(
      int status,
      String code,
      Optional<String> param,
      String message,
      Map<String, String> headers,
      Throwable cause) {
    super(message, cause);
    this.status = status;
    this.code = code;
    this.param = param.orElse(null);
    this.headers = headers;
  }

  /// 400: a field of the request can't be honoured.
  public static HttpFailure invalid(String param, String message) {
    return new HttpFailure(400, "invalid_value", Optional.of(param), message);
  }

  /// 400: a field that this server does not know, or does not do.
  public static HttpFailure unsupported(String param, String message) {
    return new HttpFailure(400, "unsupported_parameter", Optional.of(param), message);
  }

  /// Any status, about no field.
  public static HttpFailure of(int status, String code, String message) {
    return new HttpFailure(status, code, Optional.empty(), message);
  }

  /// The same with a header of the response.
  public HttpFailure with(String header, String value) {
    return new HttpFailure(status, code, param(), getMessage(), Map.of(header, value), getCause());
  }

  /// The same, and what is behind it, for the log.
  public HttpFailure because(Throwable cause) {
    return new HttpFailure(status, code, param(), getMessage(), headers, cause);
  }

  @Override
  public Blame blame() {
    return switch (status) {
      case 429 -> Blame.BUSY;
      case 500 -> Blame.DEFECT;
      default -> status < 500 ? Blame.CALLER : Blame.SETUP;
    };
  }

  public int status() {
    return status;
  }

  public String code() {
    return code;
  }

  public Optional<String> param() {
    return Optional.ofNullable(param);
  }

  Map<String, String> headers() {
    return headers;
  }

  /// OpenAI's word for whose it is.
  public String type() {
    return switch (status) {
      case 401 -> "authentication_error";
      case 403 -> "permission_error";
      case 404 -> "not_found_error";
      case 429 -> "rate_limit_error";
      default -> status < 500 ? "invalid_request_error" : "server_error";
    };
  }
}
