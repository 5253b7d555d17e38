package dev.quern.spark;

import dev.quern.llama.constrain.SchemaConstraints;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.ChatFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;

/// What a [QuernBatch] runs, and how.
///
/// @since 0.1
/// @stability api
public final class QuernBatchBuilder {
  private static final int MOST_PARALLEL = 1024; // each has a KV cache

  private ModelPlan.Source source;
  private String name = "";
  private String sha256;
  private String provider;
  private String assertNoFallback;
  private int threads;
  private int context;
  private int parallel = 8;
  private ChatFormat chatFormat;
  private String promptColumn = "prompt";
  private String keyColumn;
  private String resultColumn = "completion";
  private SamplingOptions sampling = SamplingOptions.standard(42);
  private int maxTokens = 256;
  private List<String> stop = List.of();
  private String jsonSchema;
  private final TreeMap<String, Object> variables = new TreeMap<>();

  QuernBatchBuilder() {}

  /// A GGUF file, or a model's folder, that every machine has under this path.
  public QuernBatchBuilder modelPath(String path) {
    return source(ModelPlan.Source.PATH, path);
  }

  /// A GGUF file of this name that Spark brings to every process as it starts: `--files`, or
  /// `spark.files`. (Spark 4.2 keeps what `SparkContext.addFile` adds later from isolated
  /// sessions.)
  public QuernBatchBuilder sparkFile(String name) {
    return source(ModelPlan.Source.SPARK_FILE, name);
  }

  /// The demo model of the artifact `quern-demo-model`, which continues the contents of all
  /// messages, one behind another ([ChatFormat#PLAIN]), unless another chat format is set.
  public QuernBatchBuilder demo() {
    return source(ModelPlan.Source.DEMO, "");
  }

  private QuernBatchBuilder source(ModelPlan.Source source, String name) {
    if (this.source != null) {
      throw new IllegalArgumentException(
          "builder: two models, expected one of modelPath, sparkFile and demo");
    }
    this.source = source;
    this.name = name;
    return this;
  }

  /// What SHA-256 the model has, as `sha256sum` prints it, where the driver is not to take it.
  /// Every process checks its file before it is loaded.
  public QuernBatchBuilder sha256(String hex) {
    sha256 = hex;
    return this;
  }

  /// The column with prompts, strings that are continued, or messages that the model's template
  /// writes: `array<struct<role: string, content: string>>`. By default `prompt`.
  public QuernBatchBuilder promptColumn(String name) {
    promptColumn = name;
    return this;
  }

  /// The column that tells rows apart, a string or a whole number, from which their seeds follow.
  /// Without one they follow from the prompts, and equal prompts get equal texts.
  public QuernBatchBuilder keyColumn(String name) {
    keyColumn = name;
    return this;
  }

  /// What the added column is called. By default `completion`.
  public QuernBatchBuilder resultColumn(String name) {
    resultColumn = name;
    return this;
  }

  /// How tokens are chosen, with the seed that the seeds of rows follow from, beside their keys. By
  /// default `SamplingOptions.standard(42)`.
  public QuernBatchBuilder sampling(SamplingOptions sampling) {
    this.sampling = sampling;
    return this;
  }

  /// Most tokens of a completion. By default 256.
  public QuernBatchBuilder maxTokens(int maxTokens) {
    this.maxTokens = maxTokens;
    return this;
  }

  /// Texts that end a completion, and are no part of it.
  public QuernBatchBuilder stop(String... texts) {
    stop = List.of(texts);
    return this;
  }

  /// Holds completions to a JSON schema.
  public QuernBatchBuilder jsonSchema(String schema) {
    jsonSchema = schema;
    return this;
  }

  /// A name that the model's chat template knows, such as `enable_thinking` (Qwen3), or
  /// `date_string` (Llama 3.1), where rows are to get the same text on another day.
  ///
  /// @param value a String, Boolean or Number
  public QuernBatchBuilder templateVariable(String name, Object value) {
    if (!(value instanceof String || value instanceof Boolean || value instanceof Number)) {
      throw new RequestException(
          "template variable " + name + ": expected a text, a truth value or a number");
    }
    variables.put(name, value);
    return this;
  }

  /// Most rows that run at once in a process, whatever its tasks. By default 8.
  public QuernBatchBuilder parallel(int parallel) {
    this.parallel = parallel;
    return this;
  }

  /// Which providers run the model, as `quern.provider` says it. It wins over the property.
  public QuernBatchBuilder provider(String list) {
    provider = list;
    return this;
  }

  /// Operators (`linear`, ...) that must run on the first provider that is asked, or `all`: as
  /// `quern.assert-no-fallback` says it. Else tasks fail.
  public QuernBatchBuilder assertNoFallback(String... operators) {
    assertNoFallback = String.join(",", operators);
    return this;
  }

  /// Threads of the model in a process. By default those of all tasks that Spark runs there at once
  /// (`spark.task.cpus` each), and not more than the process has cores.
  public QuernBatchBuilder threads(int threads) {
    this.threads = positive("threads", threads);
    return this;
  }

  /// Most tokens of a prompt and its completion; by default the model's limit, at most 4,096.
  public QuernBatchBuilder context(int context) {
    this.context = positive("context", context);
    return this;
  }

  /// The frame of messages, in place of the model's own template.
  public QuernBatchBuilder chatFormat(ChatFormat chatFormat) {
    this.chatFormat = chatFormat;
    return this;
  }

  /// @throws IllegalArgumentException where no model is named
  /// @throws RequestException where an option is out of range, or the schema can't be kept to
  public QuernBatch build() {
    if (source == null) {
      throw new IllegalArgumentException(
          "builder: no model, expected one of modelPath, sparkFile and demo");
    }
    if (sha256 != null && !sha256.matches("(?i)[0-9a-f]{64}")) {
      throw new RequestException(
          "sha256: expected 64 hexadecimal digits, as sha256sum prints them");
    }
    if (positive("parallel", parallel) > MOST_PARALLEL) {
      throw new RequestException(
          String.format(Locale.ROOT, "parallel=%d, expected 1 to %d", parallel, MOST_PARALLEL));
    }
    boolean plain = source == ModelPlan.Source.DEMO && chatFormat == null;
    ModelPlan model =
        new ModelPlan(
            source,
            name,
            sha256 == null ? null : sha256.toLowerCase(Locale.ROOT),
            provider,
            assertNoFallback,
            threads,
            context,
            parallel,
            plain ? ChatFormat.PLAIN : chatFormat);
    TextPlan text =
        new TextPlan(
            maxTokens,
            TextPlan.Sampling.of(sampling),
            new ArrayList<>(stop),
            jsonSchema,
            new TreeMap<>(variables));
    text.options(new SchemaConstraints()); // refused here, and not in every task
    return new QuernBatch(
        model, text, new BatchColumns(promptColumn, Optional.ofNullable(keyColumn), resultColumn));
  }

  private static int positive(String option, int value) {
    if (value < 1) {
      throw new RequestException(String.format(Locale.ROOT, "%s=%d, expected >= 1", option, value));
    }
    return value;
  }
}
