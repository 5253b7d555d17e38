package dev.quern.serve.ollama;

import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.serve.answer.SamplingFields;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// `options`: how text is generated. What a request leaves open is as Ollama's documentation has
/// it, but for the seed, which is another one each time, and for `num_ctx` and the number of
/// threads, which are the server's.
final class OptionFields {
  /// Temperature 0.8, top k 40, top p 0.9, repeat penalty 1.1 over 64 tokens.
  private static final SamplingOptions STANDARD = new SamplingOptions(0.8, 40, 0.9, 0, 1.1, 64, 0);

  /// What is decided when the server starts.
  private static final List<String> OF_THE_START =
      List.of(
          "num_batch",
          "num_gpu",
          "main_gpu",
          "num_thread",
          "use_mmap",
          "use_mlock",
          "low_vram",
          "numa",
          "f16_kv",
          "vocab_only",
          "logits_all",
          "embedding_only");

  private OptionFields() {}

  /// @throws HttpFailure 400 where one can't be honoured
  static GenerationOptions read(JsonFields f, LlamaModel model) {
    Optional<JsonFields> given = f.object("options");
    if (given.isEmpty()) {
      return GenerationOptions.of(model.context(), SamplingFields.seeded(STANDARD));
    }
    JsonFields o = given.get();
    requireContext(o, model);
    refuseOthers(o);
    GenerationOptions options =
        GenerationOptions.of(tokens(o, model), SamplingFields.read(o, STANDARD, model.context()))
            .withStopStrings(SamplingFields.stops(o));
    o.end();
    return options;
  }

  /// -1 and -2, as many as there is room for, are Ollama's.
  private static int tokens(JsonFields o, LlamaModel model) {
    int tokens = o.integer("num_predict", -2, Integer.MAX_VALUE).orElse(-1);
    if (tokens == 0) {
      throw o.wrong("num_predict", "an integer >= 1, or -1 for as many as there is room for");
    }
    return tokens < 0 ? model.context() : tokens;
  }

  private static void requireContext(JsonFields o, LlamaModel model) {
    var context = o.integer("num_ctx", 1, Integer.MAX_VALUE);
    if (context.isPresent() && context.getAsInt() > model.context()) {
      throw o.wrong(
          "num_ctx",
          String.format(
              Locale.ROOT,
              "at most %d, the context that the server has (--context)",
              model.context()));
    }
  }

  private static void refuseOthers(JsonFields o) {
    for (String name : OF_THE_START) {
      refuse(o, name, "decided when the server starts");
    }
    o.only("num_keep", "0", "texts that are too long are not cut");
    o.only("mirostat", "0", "this sampler is not done");
    for (String name : List.of("mirostat_tau", "mirostat_eta", "tfs_z")) {
      refuse(o, name, "this sampler is not done");
    }
    o.only("penalize_newline", "true", "penalties are for all tokens");
  }

  private static void refuse(JsonFields o, String name, String why) {
    if (o.has(name)) {
      throw HttpFailure.unsupported(
          o.path(name),
          String.format(Locale.ROOT, "%s: %s, expected no such field", o.path(name), why));
    }
  }
}
