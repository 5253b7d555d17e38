package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.llama.checkpoint.CheckpointException;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufException;
import dev.quern.llama.tokenizer.TokenizerException;
import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// What is no model: absent, empty, cut, a folder, a pipe, a device. Each is one line, and none is
/// waited for.
class SpecialFilesTest {
  private static final LoadOptions OPTIONS = LoadOptions.defaults().withThreads(1);

  @TempDir Path folder;

  @Test
  void asAModelAndAsATokenizer() throws IOException {
    refused(folder.resolve("absent.gguf"), "no such file");
    refused(Files.write(folder.resolve("empty.gguf"), new byte[0]), "0 remain");
    refused(Files.writeString(folder.resolve("text.gguf"), "hello, world"), "not a GGUF file");
    refused(Files.writeString(folder.resolve("tokenizer.json"), "{}"), "or the folder: ");
    refused(Files.createDirectories(folder.resolve("nothing")), "");
    byte[] sound = Files.readAllBytes(new SyntheticModel().write(folder.resolve("sound.gguf")));
    for (int bytes = 1; bytes < 400; bytes += 13) {
      refused(Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(sound, bytes)), "");
    }
  }

  @Test
  void devices() {
    Path zero = Path.of("/dev/zero");
    assumeTrue(there(Files.exists(zero), "no /dev/zero"));
    refused(zero, "not a regular file");
    refused(Path.of("/dev/null"), "not a regular file");
  }

  @Test
  void pipes() throws Exception {
    Path pipe = pipe(folder.resolve("pipe.gguf"));
    refused(pipe, "not a regular file");
    Path model = Files.createDirectories(folder.resolve("model"));
    for (String name : List.of("model.safetensors", "config.json", "tokenizer.json")) {
      pipe(model.resolve(name));
    }
    refused(model, "not a regular file");
  }

  private static Path pipe(Path path) throws IOException, InterruptedException {
    Process made;
    try {
      made = new ProcessBuilder("mkfifo", path.toString()).start();
    } catch (IOException e) {
      assumeTrue(there(false, "no mkfifo: " + e.getMessage()));
      throw e;
    }
    assumeTrue(there(made.waitFor() == 0, "mkfifo failed"));
    return path;
  }

  private static boolean there(boolean present, String otherwise) {
    if (!present) {
      LeftOut.say(SpecialFilesTest.class, otherwise);
    }
    return present;
  }

  private static void refused(Path path, String part) {
    oneLine(() -> LlamaModel.load(path, OPTIONS).close(), part);
    oneLine(() -> LlamaModel.loadTokenizer(path), part);
  }

  private static void oneLine(Executable call, String part) {
    RuntimeException refused =
        assertTimeoutPreemptively(
            Duration.ofSeconds(60), () -> assertThrows(RuntimeException.class, call));
    assertTrue(
        refused instanceof LlamaException
            || refused instanceof GgufException
            || refused instanceof CheckpointException
            || refused instanceof TokenizerException,
        refused.toString());
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count());
  }

  /// Names, architectures and templates of a file, as messages show them.
  @Test
  void textsOfAFileAreCleanedAndCutInMessages() throws IOException {
    String evil = "\u001b[2J\u202e\u2028\n\u009b31m" + "x".repeat(100_000);
    for (String key :
        List.of(
            "general.architecture",
            "tokenizer.ggml.model",
            "tokenizer.ggml.pre",
            "llama.rope.scaling.type",
            "llama.tensor_data_layout",
            "llama.unknown")) {
      Path file = new SyntheticModel().with(key, evil).write(folder.resolve("m.gguf"));
      clean(assertThrows(RuntimeException.class, () -> LlamaModel.load(file, OPTIONS).close()));
    }
    Path named = new SyntheticModel().with("general.name", evil).write(folder.resolve("n.gguf"));
    try (LlamaModel model = LlamaModel.load(named, OPTIONS)) {
      assertTrue(model.config().name().length() < 300);
      assertTrue(model.config().name().chars().allMatch(c -> c >= ' ' && c < 127));
    }
    Path template =
        new SyntheticModel().with("tokenizer.chat_template", evil).write(folder.resolve("t.gguf"));
    try (LlamaModel model = LlamaModel.load(template, OPTIONS)) {
      clean(assertThrows(TokenizerException.class, model::chatTemplate));
    }
    clean(new LlamaException(evil));
  }

  private static void clean(RuntimeException e) {
    assertTrue(e.getMessage().length() < 2100, e.getMessage().length() + " characters");
    assertFalse(e.getMessage().chars().anyMatch(c -> c < ' ' || c > 126), e.getMessage());
  }
}
