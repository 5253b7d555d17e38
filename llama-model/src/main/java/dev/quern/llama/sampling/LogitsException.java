package dev.quern.llama.sampling;

import dev.quern.Blame;
import dev.quern.QuernException;
import java.util.Locale;

/// Logits that no token can be chosen from, since one is NaN or infinite: the weights or a kernel
/// are broken.
///
/// @since 0.1
/// @stability api
public final class LogitsException extends QuernException {
  private static final long serialVersionUID = 1L;

  private LogitsException(String message) {
    super(message);
  }

  @Override
  public Blame blame() {
    return Blame.DEFECT;
  }

  /// @param logits `[vocabulary]`; negative infinity is allowed
  /// @param position how many tokens are before
  /// @throws LogitsException where one is NaN or positive infinity
  public static void check(float[] logits, long position) {
    for (int token = 0; token < logits.length; token++) {
      if (!(logits[token] < Float.POSITIVE_INFINITY)) {
        throw of(token, logits[token], position);
      }
    }
  }

  static LogitsException of(int token, float logit, long position) {
    return new LogitsException(
        String.format(
            Locale.ROOT,
            "sampling: the logit of token %d is %s at position %d, expected a number; the forward pass or the weights are broken",
            token,
            logit,
            position));
  }

  static LogitsException none(int tokens, long position) {
    return new LogitsException(
        String.format(
            Locale.ROOT,
            "sampling: the logits of all %d tokens are -Infinity at position %d, expected one that is allowed",
            tokens,
            position));
  }
}
