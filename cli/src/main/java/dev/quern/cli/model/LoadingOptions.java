package dev.quern.cli.model;

import dev.quern.llama.LoadOptions;
import dev.quern.llama.tokenizer.ChatFormat;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options that say how models are loaded, whichever they are.
public class LoadingOptions extends RunningOptions {
  public static final String PROVIDER =
      "Kernel providers: auto, one name, or an ordered list such as kleidi?,vector,scalar (? = may be absent). Default: the system property quern.provider, else the environment variable QUERN_PROVIDER, else auto.";

  @Option(
      names = {"-P", "--provider"},
      paramLabel = "LIST",
      description = PROVIDER)
  String provider;

  @Option(
      names = "--chat-template",
      paramLabel = "FORMAT",
      description =
          "Frame of conversations, whatever the model's chat template: llama3, llama2, chatml or plain. Default: what the template says.")
  ChatFormat chatTemplate;

  @Option(
      names = "--pre-tokenizer",
      paramLabel = "NAME",
      description =
          "How a GGUF file's byte-level BPE cuts words, whatever the file says: llama-bpe, smaug-bpe, ... Default: what tokenizer.ggml.pre says.")
  String preTokenizer;

  protected LoadingOptions() {}

  /// What the options come to, over the system properties.
  public final LoadOptions options() {
    LoadOptions options = options(Optional.ofNullable(provider));
    options = chatTemplate == null ? options : options.withChatFormat(chatTemplate);
    return preTokenizer == null ? options : options.withPreTokenizer(preTokenizer);
  }
}
