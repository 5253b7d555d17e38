package dev.quern.spring.boot;

import dev.quern.llama.Pooling;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.tokenizer.ChatFormat;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Which model is loaded, and how its engine shares it. `quern.provider` and what else chooses
/// kernels is not here: [KernelProperties].
///
/// @param model Path of a GGUF file or of a model's folder, or 'demo' for the demo model of the
///   artifact quern-demo-model.
/// @param name What responses, observations and metrics call the model. Default: its file's name
///   without .gguf, or 'demo'.
/// @param threads Threads that take part in every operator. Default: the physical cores that the
///   process may use.
/// @param context Most tokens of a prompt and its reply. Default: the model's own limit, at most
///   4096.
/// @param kv Element format of the KV caches.
/// @param chatTemplate Frame of conversations, in place of the model's own chat template.
/// @param parallel Most requests that run at once; each has a KV cache of the context.
/// @param queue Most requests that wait; one more is refused.
/// @param prefixes Most KV caches that are kept of requests that have ended, for prompts that begin
///   as they did.
/// @param lookup Most tokens that a request guesses of what it has said or was told before, up to
///   16; 0 guesses nothing.
/// @param embedding The embedding model.
/// @since 0.1
/// @stability api
@ConfigurationProperties("quern")
public record QuernProperties(
    @Nullable String model,
    @Nullable String name,
    @Nullable Integer threads,
    @Nullable Integer context,
    @DefaultValue("f16") Kv kv,
    @Nullable ChatFormat chatTemplate,
    @DefaultValue("8") int parallel,
    @DefaultValue("1000") int queue,
    @DefaultValue("8") int prefixes,
    @DefaultValue("0") int lookup,
    @DefaultValue Embedding embedding) {

  /// Element formats of KV caches.
  public enum Kv {
    F16,
    F32
  }

  /// Of `quern.embedding`.
  ///
  /// @param pooling How the vectors behind a text's tokens become one.
  public record Embedding(@DefaultValue("mean") Pooling pooling) {}

  /// The name as stated, else that of the file or folder; `quern` where the model is a bean of the
  /// application's own.
  String calledName() {
    if (name != null) {
      return name;
    }
    return model == null || model.isBlank() ? "quern" : Checkpoint.nameOf(Path.of(model));
  }
}
