package dev.quern.llama;

import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.ModelFolder;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.llama.tokenizer.TokenizerFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a model's file says about text.
///
/// @param tokenizer empty where it holds no vocabulary
/// @param chatTemplate Jinja, as the file has it
record Language(Optional<Tokenizer> tokenizer, Optional<String> chatTemplate) {
  /// Reads the vocabulary of a GGUF file or a model's folder.
  ///
  /// @param preTokenizer how words are cut, where it is not to be what a GGUF file says
  static Tokenizer readTokenizer(Path file, Optional<String> preTokenizer) throws IOException {
    if (Files.isDirectory(file)) {
      TokenizerFolder.requireNone(preTokenizer);
      return TokenizerFolder.read(ModelFolder.open(file), List.of(), 0);
    }
    Checkpoint.requireNoPart(file);
    try (GgufFile gguf = GgufFile.open(file)) {
      return Tokenizer.from(gguf.metadata(), preTokenizer);
    }
  }
}
