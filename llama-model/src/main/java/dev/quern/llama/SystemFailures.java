package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.text.Printable;
import java.util.Locale;

/// Errors that the JVM throws where the machine lets it down, in words for whoever runs it.
final class SystemFailures {
  private SystemFailures() {}

  /// Whether a page of a mapped file could not be read (SIGBUS): the JVM throws that, in whatever
  /// code touched the page, as an InternalError that is known by its text alone.
  static boolean isLostPage(Throwable t) {
    return t instanceof InternalError
        && t.getMessage() != null
        && t.getMessage().contains("unsafe memory access");
  }

  /// What to throw in an error's place: that a page was lost, or the error itself.
  ///
  /// @param model as for [#lostPage]
  /// @throws InternalError the error, if it is something else
  static LlamaException explained(InternalError e, String model) {
    if (isLostPage(e)) {
      return lostPage(model, e);
    }
    throw e;
  }

  /// @param model what messages call the model, whose tensors are mapped
  static LlamaException lostPage(String model, Throwable cause) {
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "%s: a part of it can't be read any more, expected a file that stays as it is while it is in use: it was cut or overwritten, or its disk is gone; load the model again",
            Printable.escaped(model)),
        cause);
  }

  /// Put together by hand: where the heap was full while the JVM initialized a class, that class is
  /// lost for good, also to the formatter.
  ///
  /// @param doing what needed the memory, such as `loading `
  /// @param name of what; may be empty
  static LlamaException outOfMemory(String doing, String name, OutOfMemoryError e) {
    String reason = e.getMessage() == null ? "" : e.getMessage();
    StringBuilder words =
        new StringBuilder(doing).append(Printable.escaped(name)).append(": out of memory: ");
    if (reason.contains("native thread")) {
      words.append(
          "the system gives the process no more threads: load the model with fewer, or raise the limit (ulimit -u, or that of the control group)");
    } else if (reason.contains("heap space") || reason.contains("GC overhead")) {
      words
          .append("the Java heap of ")
          .append(Runtime.getRuntime().maxMemory() >> 20)
          .append(" MiB is full: start the JVM with a larger one (-Xmx)");
    } else {
      words.append(
          "the system gives the process no more memory: free some, raise its limit (ulimit -v, or that of the control group), or take a smaller model or context");
    }
    return new LlamaException(words.toString(), e);
  }
}
