package dev.quern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What [LocaleIT] starts in JVMs of many locales: commands whose output it compares, written to a
/// folder. In one JVM with the tests it could not be: Surefire's own messages take the digits of
/// the default locale, and a class whose messages can't be read counts as no tests.
final class LocaleRun {
  /// Results that are the same in every run: texts, ids, logits, tables.
  static final String TEXT = "text";

  /// Figures that differ from run to run, and error messages.
  static final String FIGURES = "figures";

  static final String MODEL = "model.gguf";
  static final String QUANTIZED = "quantized.gguf";

  private LocaleRun() {}

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    StringBuilder text = new StringBuilder();
    for (List<String> words :
        List.of(
            List.of("run", "--prompt", "Once upon a time", "-n", "8"),
            List.of("tokenize", "Once upon 12 times"),
            List.of("tokenize", "--ids", "Once upon 12 times"),
            List.of("logits", "--tokens", "1,2,3"),
            List.of("explain"))) {
      text.append(quern(0, words.toArray(String[]::new)).out()).append('\n');
    }
    Files.writeString(folder.resolve(TEXT), text);

    String model = folder.resolve(MODEL).toString();
    quern(0, "synthesize", "--shape", "tiny", "--format", "F32", "--out", model);
    String quantized = folder.resolve(QUANTIZED).toString();
    quern(0, "quantize", "--in", model, "--scheme", "q8_0", "--out", quantized);

    Path stats = folder.resolve("stats.json");
    String figures =
        Stream.of(
                quern(0, "run", "--prompt", "A", "-n", "3", "--stats-json", stats.toString()).err(),
                Files.readString(stats),
                quern(0, "bench", "--prompt-tokens", "4", "--gen-tokens", "2", "--repetitions", "1")
                    .out(),
                quern(1, "run", "--prompt", "A", "--context", "123456789").err(),
                quern(1, "logits", "--tokens", "1,99999").err())
            .reduce("", String::concat);
    Files.writeString(folder.resolve(FIGURES), figures);
  }

  private static Quern quern(int expected, String... words) {
    Quern run = Quern.run(words);
    if (run.code() != expected) {
      throw new AssertionError(List.of(words) + ": exit code " + run.code() + ": " + run.err());
    }
    return run;
  }
}
