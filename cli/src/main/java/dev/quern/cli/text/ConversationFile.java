package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.Json;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.console.TextInput;
import dev.quern.cli.console.UserException;
import dev.quern.llama.tokenizer.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// A conversation in a file.
///
/// @param path of the file
record ConversationFile(Path path) {
  List<ChatMessage> read(Console console) throws IOException {
    return MessagesJson.read(
        Json.read(TextInput.read(path, console), path.toString()), path.toString());
  }

  /// Replaces a conversation of that name, and nothing else.
  ///
  /// @param model what the model is read from; null for the demo
  void write(List<ChatMessage> messages, Path model, Console console) throws IOException {
    if (Files.exists(path)) {
      try {
        read(console);
      } catch (UserException e) {
        throw new UserException(path + ": is there, and no conversation; name another file", e);
      }
    }
    OutputFile file = new OutputFile("/save", path);
    file.check(true, Arrays.asList(model));
    file.write(Json.bytes(MessagesJson.tree(messages)));
  }
}
