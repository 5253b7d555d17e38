package dev.quern.serve.options;

import dev.quern.QuernException;
import dev.quern.llama.text.Printable;
import java.io.Serial;
import java.util.Locale;

/// What keeps a server from starting: an option out of range, a file of keys or certificates that
/// can't be used, an address that is taken. One line, with the remedy.
///
/// @since 0.1
/// @stability api
public final class ServeException extends QuernException {
  @Serial private static final long serialVersionUID = 1L;

  public ServeException(String message) {
    super(Printable.message(message));
  }

  public ServeException(String message, Throwable cause) {
    super(Printable.message(message), cause);
  }

  /// @throws ServeException where it is not so
  public static void require(String name, Object value, boolean valid, String expected) {
    if (!valid) {
      throw new ServeException(
          String.format(Locale.ROOT, "serve: %s=%s, expected %s", name, value, expected));
    }
  }
}
