package dev.quern.arm;

import dev.quern.KernelOptions;
import dev.quern.QuernException;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.provider.kleidi.KleidiProvider;
import java.io.IOException;
import java.nio.file.Path;

/// What a user's program does, for [LibraryJarIT]: it loads a model with what is on its class path
/// and no word about providers or libraries, says who runs what, and goes on with a text.
final class LibraryJarMain {
  static final String PROMPT = "Once upon a time";
  static final int TOKENS = 16;

  private LibraryJarMain() {}

  public static void main(String[] args) throws IOException {
    // A provider has ten seconds to open. An emulator on a busy machine takes more than that to
    // load
    // and compile what a first downcall needs: so that was done once before.
    new KleidiProvider().open(KernelOptions.fromSystem().providersPlatform());
    LoadOptions options = LoadOptions.defaults().withContext(128);
    try (LlamaModel model = LlamaModel.load(Path.of(args[0]), options);
        LlamaSession session = model.newSession()) {
      System.out.println(model.report().text());
      StringBuilder text = new StringBuilder();
      session.generate(PROMPT, GenerationOptions.greedy(TOKENS), text::append);
      System.out.println("text: " + text);
    } catch (QuernException e) {
      System.out.println("refused: " + e.getMessage());
    }
  }
}
