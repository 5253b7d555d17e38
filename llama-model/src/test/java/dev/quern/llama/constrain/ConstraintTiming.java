package dev.quern.llama.constrain;

import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.sampling.Sampler;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/// What a constraint costs a step; not a test, run its `main` (docs/benchmarks.md):
///
/// ```
/// ConstraintTiming MODEL
/// ```
///
/// For each constraint a text that fits is gone through, token by token: with a constraint that was
/// just made ("new", medians of 20), and with one that went through it before ("known"). A step is
/// the mask and the token's acceptance.
final class ConstraintTiming {
  private static final int ROUNDS = 20;

  private static final String PERSON =
      """
      {"type": "object", "required": ["name", "age", "mail", "tags", "note"], "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "mail": {"type": "string", "pattern": "^[a-z.]+@[a-z.]+$"},
        "tags": {"type": "array", "items": {"enum": ["new", "old", "borrowed", "blue"]}},
        "note": {"type": "string"}}}\
      """;

  private static final String TEXT =
      """
      {"name": "Ada Lovelace of Ockham Park", "age": 36, "mail": "ada@analytical.engine", \
      "tags": ["new", "borrowed"], "note": "The Analytical Engine weaves algebraical patterns \
      just as the Jacquard loom weaves flowers and leaves. Größer, 日本語, and so on."}\
      """;

  private record Step(double micros, double most) {}

  private ConstraintTiming() {}

  public static void main(String[] args) throws IOException {
    Tokenizer tokenizer;
    try (GgufFile file = GgufFile.open(Path.of(args[0]))) {
      tokenizer = Tokenizer.from(file.metadata());
    }
    long start = System.nanoTime();
    TokenTexts texts = TokenTexts.of(tokenizer);
    print(
        "%d tokens, %d nodes (%d of tokens that are not plain), %.1f MB, made in %.0f ms%n",
        tokenizer.vocabularySize(),
        texts.all().nodes(),
        texts.others().nodes(),
        texts.memory() / 1e6,
        micros(start) / 1e3);
    Map<String, Supplier<Constraint>> all = new LinkedHashMap<>();
    all.put("schema", () -> Constraint.jsonSchema(PERSON));
    all.put("any object", Constraint::jsonObject);
    all.put("regex [^x]*", () -> Constraint.regex("[^x]*"));
    all.put("regex of 512 ways", () -> Constraint.regex("(.*e.{600}|.*)"));
    for (int warm = 0; warm < 3; warm++) {
      all.values().forEach(c -> round(tokenizer, c));
    }
    all.forEach((name, constraint) -> {
      double[][] rounds = new double[ROUNDS][];
      for (int i = 0; i < ROUNDS; i++) {
        rounds[i] = round(tokenizer, constraint);
      }
      print(
          "%-18s made in %7.0f us, new: %6.0f us a step, most %7.0f, known: %5.1f, most %6.1f%n",
          name,
          median(rounds, 0),
          median(rounds, 1),
          median(rounds, 2),
          median(rounds, 3),
          median(rounds, 4));
    });
    sampler(tokenizer);
  }

  private static double[] round(Tokenizer tokenizer, Supplier<Constraint> make) {
    long start = System.nanoTime();
    Constraint constraint = make.get();
    double made = micros(start);
    Step fresh = steps(tokenizer, constraint);
    Step known = steps(tokenizer, constraint);
    return new double[] {made, fresh.micros, fresh.most, known.micros, known.most};
  }

  private static Step steps(Tokenizer tokenizer, Constraint constraint) {
    int[] tokens = tokenizer.encode(TEXT, false);
    ConstraintState state = constraint.start(tokenizer, tokenizer.endOfGeneration());
    double sum = 0;
    double most = 0;
    for (int token : tokens) {
      long start = System.nanoTime();
      state.allowed();
      state.accept(token);
      double took = micros(start);
      sum += took;
      most = Math.max(most, took);
    }
    return new Step(sum / tokens.length, most);
  }

  /// What a mask costs the sampler, of which every second token is allowed.
  private static void sampler(Tokenizer tokenizer) {
    int size = tokenizer.vocabularySize();
    float[] logits = new float[size];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < size; i++) {
      logits[i] = (float) random.nextDouble();
    }
    MemorySegment next = MemorySegment.ofArray(logits);
    long[] mask = new long[(size + 63) / 64];
    Arrays.setAll(mask, _ -> random.nextLong());
    long[] full = new long[mask.length];
    Arrays.fill(full, -1);
    Sampler sampler = new Sampler(SamplingOptions.GREEDY, size);
    double[][] rounds = new double[200][];
    for (int i = 0; i < 400; i++) {
      long start = System.nanoTime();
      sampler.next(next);
      double none = micros(start);
      start = System.nanoTime();
      sampler.next(next, full);
      double all = micros(start);
      start = System.nanoTime();
      sampler.next(next, mask);
      rounds[i % 200] = new double[] {none, all, micros(start)};
    }
    print(
        "greedy sampler: %.0f us, %.0f with a mask of all tokens, %.0f with one of every second%n",
        median(rounds, 0), median(rounds, 1), median(rounds, 2));
  }

  private static double median(double[][] rounds, int column) {
    return Arrays.stream(rounds).mapToDouble(r -> r[column]).sorted().toArray()[rounds.length / 2];
  }

  private static double micros(long start) {
    return (System.nanoTime() - start) / 1e3;
  }

  private static void print(String format, Object... values) {
    System.out.printf(Locale.ROOT, format, values);
  }
}
