package dev.quern.llama;

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

  /// @param model what messages call the model, whose tensors are mapped
  static LlamaException lostPage(String model, Throwable cause) {
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "%s: a part of it can't be read any more, expected a file that stays as it is while it is in use: it was cut or overwritten, or its disk is gone; load the model again",
            Printable.escaped(model)),
        cause);
  }

  /// @param doing what needed the memory, such as `loading FILE`
  static LlamaException outOfMemory(String doing, OutOfMemoryError e) {
    String reason = e.getMessage() == null ? "" : e.getMessage();
    String remedy;
    if (reason.contains("native thread")) {
      remedy =
          "the system gives the process no more threads: load the model with fewer, or raise the limit (ulimit -u, or that of the control group)";
    } else if (reason.contains("heap space") || reason.contains("GC overhead")) {
      remedy =
          String.format(
              Locale.ROOT,
              "the Java heap of %d MiB is full: start the JVM with a larger one (-Xmx)",
              Runtime.getRuntime().maxMemory() >> 20);
    } else {
      remedy =
          "the system gives the process no more memory: free some, raise its limit (ulimit -v, or that of the control group), or take a smaller model or context";
    }
    return new LlamaException(
        String.format(Locale.ROOT, "%s: out of memory: %s", doing, remedy), e);
  }
}
