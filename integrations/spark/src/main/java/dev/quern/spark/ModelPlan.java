package dev.quern.spark;

import dev.quern.KernelOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.tokenizer.ChatFormat;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.spark.SparkFiles;

/// Which model executors load, and how, as it is sent to them. Rows with equal plans share a model.
///
/// @param source where it comes from
/// @param name a path, or a name of Spark's files; of the demo model empty
/// @param sha256 what its hash must be, in lower case; null until the driver has taken it
/// @param provider null where the executor's properties say it
/// @param assertNoFallback likewise
/// @param threads 0 for what the executor has
/// @param context 0 for the model's own
/// @param parallel rows of a process that run at once
/// @param chatFormat null for the model's template
record ModelPlan(
    Source source,
    String name,
    String sha256,
    String provider,
    String assertNoFallback,
    int threads,
    int context,
    int parallel,
    ChatFormat chatFormat)
    implements Serializable {

  enum Source {
    DEMO,
    PATH,
    SPARK_FILE
  }

  private static final String NUMERICS = "quern.numerics";

  /// This plan with the hash of the driver's file, unless one is given.
  ///
  /// @throws LlamaException where the driver has no such file
  ModelPlan withHashOfDriver() throws IOException {
    if (sha256 != null || source == Source.DEMO) {
      return this;
    }
    Path file = file();
    if (!Files.exists(file)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model %s: not on the driver, which takes its hash, expected it there, or the hash: sha256(...)",
              file));
    }
    return new ModelPlan(
        source,
        name,
        ModelHash.of(file),
        provider,
        assertNoFallback,
        threads,
        context,
        parallel,
        chatFormat);
  }

  /// Where the file is on this machine.
  private Path file() {
    return Path.of(source == Source.SPARK_FILE ? SparkFiles.get(name) : name);
  }

  /// Checks the file, and loads it.
  ///
  /// @param ofProcess threads that Spark gives this process, where the plan names none
  /// @throws LlamaException where it is not the driver's file, or the JVM lacks the Vector API
  LlamaModel load(int ofProcess) throws IOException {
    LoadOptions options = LoadOptions.defaults();
    options =
        options
            .withKernels(kernels(options.kernels()))
            .withThreads(threads == 0 ? Math.min(ofProcess, options.threads()) : threads)
            .withContext(context);
    if (provider == null && options.kernels().properties().get("quern.provider") == null) {
      requireVectorApi();
    }
    if (chatFormat != null) {
      options = options.withChatFormat(chatFormat);
    }
    if (source == Source.DEMO) {
      return LlamaModel.loadDemo(options);
    }
    Path file = file();
    if (!Files.exists(file)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model %s: not on this machine, expected %s",
              file,
              source == Source.SPARK_FILE
                  ? "it among Spark's files from the start: --files, or spark.files"
                  : "it under the same path everywhere"));
    }
    String actual = ModelHash.of(file);
    if (!actual.equals(sha256)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model %s: its SHA-256 is %s, expected %s: this machine has another file than the driver",
              file,
              actual,
              sha256));
    }
    return LlamaModel.load(file, options);
  }

  /// A row's text must not depend on the rows beside it, so kernels are asked for under
  /// `invariant`, beside what the executor's properties ask for.
  private KernelOptions kernels(KernelOptions kernels) {
    String asked = kernels.properties().getOrDefault(NUMERICS, "any");
    KernelOptions invariant =
        kernels.with(
            NUMERICS,
            asked.equals("any")
                ? "invariant"
                : asked.contains("invariant") ? asked : asked + ",invariant");
    if (provider != null) {
      invariant = invariant.withProvider(provider);
    }
    return assertNoFallback == null
        ? invariant
        : invariant.with("quern.assert-no-fallback", assertNoFallback);
  }

  /// In the log of an executor nobody reads that a provider was passed over.
  private static void requireVectorApi() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      throw new LlamaException(
          "this JVM was started without the Vector API, and no provider is named. Remedy: start it by spark-submit, or by java --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED, or name one that does without: provider(...)");
    }
  }
}
