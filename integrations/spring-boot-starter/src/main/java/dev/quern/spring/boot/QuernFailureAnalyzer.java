package dev.quern.spring.boot;

import dev.quern.QuernException;
import dev.quern.SelectionException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/// A start that Quern refused: its message in place of a stack trace. The message has the remedy,
/// so the action says where the settings are. Of a selection's message the table of all providers,
/// which is behind an empty line, is left to `quern explain` and the health indicator.
final class QuernFailureAnalyzer extends AbstractFailureAnalyzer<QuernException> {
  private static final Pattern EMPTY_LINE = Pattern.compile("\\R\\R");

  @Override
  protected @Nullable FailureAnalysis analyze(Throwable rootFailure, QuernException cause) {
    return new FailureAnalysis(
        EMPTY_LINE.split(cause.getMessage(), 2)[0],
        cause instanceof SelectionException
            ? "Do what the message says, or change quern.provider or quern.assert-no-fallback: as a property of Spring's, a system property, or QUERN_PROVIDER."
            : "Change the quern. property that the message is about, or the model.",
        cause);
  }
}
