package dev.quern.llama;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.tokenizer.ChatFormat;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// How to load a model.
///
/// @param kernels which providers run it; by default what the system properties say
/// @param threads threads that take part in every operator; by default the physical cores that the
///   process may use, or what its CPU quota comes to
/// @param context positions of a session's KV cache; 0 means the model's own limit, at most 4,096
/// @param kv element format of the KV cache; F16 by default
/// @param batch most prompt tokens that go through the kernels at once
/// @param progress told how much of the weights is packed
/// @param profile where the time in kernels is counted, if it is to be
/// @param chatFormat the frame of conversations, where it is not to be what the model's chat
///   template says
/// @param preTokenizer how words are cut, where it is not to be what a GGUF file says
/// @since 0.1
/// @stability api
public record LoadOptions(
    KernelOptions kernels,
    int threads,
    int context,
    KvFormat kv,
    int batch,
    LoadProgress progress,
    Optional<KernelProfile> profile,
    Optional<ChatFormat> chatFormat,
    Optional<String> preTokenizer) {

  /// A context that no [#context] asks for explicitly stays within this, since it is a promise: all
  /// of its memory must be there, though it is taken as a conversation grows.
  private static final int DEFAULT_CONTEXT = 4096;

  private static final int MAX_THREADS = 1024;

  public LoadOptions {
    Objects.requireNonNull(kernels, "kernels");
    Objects.requireNonNull(kv, "kv");
    Objects.requireNonNull(progress, "progress");
    Objects.requireNonNull(profile, "profile");
    Objects.requireNonNull(chatFormat, "chatFormat");
    Objects.requireNonNull(preTokenizer, "preTokenizer");
    if (threads < 1 || threads > MAX_THREADS) {
      throw new LlamaException(
          String.format(Locale.ROOT, "threads=%d, expected 1 to %d", threads, MAX_THREADS));
    }
    if (context < 0) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "context=%d, expected a number of tokens, or 0 for the model's own",
              context));
    }
    if (batch < 1) {
      throw new LlamaException(String.format(Locale.ROOT, "batch=%d, expected >= 1", batch));
    }
  }

  /// What the system properties and the machine suggest.
  public static LoadOptions defaults() {
    return new LoadOptions(
        KernelOptions.fromSystem(),
        CpuCores.ofThisProcess().threads(),
        0,
        KvFormat.F16,
        256,
        (packed, total) -> {},
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  public LoadOptions withKernels(KernelOptions kernels) {
    return new LoadOptions(
        kernels, threads, context, kv, batch, progress, profile, chatFormat, preTokenizer);
  }

  public LoadOptions withThreads(int threads) {
    return new LoadOptions(
        kernels, threads, context, kv, batch, progress, profile, chatFormat, preTokenizer);
  }

  public LoadOptions withContext(int context) {
    return new LoadOptions(
        kernels, threads, context, kv, batch, progress, profile, chatFormat, preTokenizer);
  }

  public LoadOptions withKv(KvFormat kv) {
    return new LoadOptions(
        kernels, threads, context, kv, batch, progress, profile, chatFormat, preTokenizer);
  }

  public LoadOptions withBatch(int batch) {
    return new LoadOptions(
        kernels, threads, context, kv, batch, progress, profile, chatFormat, preTokenizer);
  }

  public LoadOptions withProgress(LoadProgress progress) {
    return new LoadOptions(
        kernels, threads, context, kv, batch, progress, profile, chatFormat, preTokenizer);
  }

  /// Counts the time in the model's kernels; a profile belongs to one model.
  public LoadOptions withProfile(KernelProfile profile) {
    return new LoadOptions(
        kernels,
        threads,
        context,
        kv,
        batch,
        progress,
        Optional.of(profile),
        chatFormat,
        preTokenizer);
  }

  /// Frames conversations in this format, whatever the model's chat template is.
  public LoadOptions withChatFormat(ChatFormat chatFormat) {
    return new LoadOptions(
        kernels,
        threads,
        context,
        kv,
        batch,
        progress,
        profile,
        Optional.of(chatFormat),
        preTokenizer);
  }

  /// Cuts words as the pre-tokenizer of this name does (`llama-bpe`, `smaug-bpe`, ...), whatever a
  /// GGUF file says.
  public LoadOptions withPreTokenizer(String preTokenizer) {
    return new LoadOptions(
        kernels,
        threads,
        context,
        kv,
        batch,
        progress,
        profile,
        chatFormat,
        Optional.of(preTokenizer));
  }

  /// Positions of a session's KV cache, for a model of that shape.
  ///
  /// @throws LlamaException if they are more than the model was trained for
  int context(LlamaConfig config) {
    if (context == 0) {
      return Math.min(config.contextLength(), DEFAULT_CONTEXT);
    }
    if (context > config.contextLength()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "context=%d, expected at most %d, which the model was trained for",
              context,
              config.contextLength()));
    }
    return context;
  }
}
