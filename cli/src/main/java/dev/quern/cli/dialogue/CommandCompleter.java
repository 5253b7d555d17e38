package dev.quern.cli.dialogue;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

/// Completes commands, and the names of their files.
///
/// @param commands what there is
record CommandCompleter(Commands commands) implements Completer {
  @Override
  public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
    if (line.wordIndex() == 0) {
      for (String name : commands.names()) {
        candidates.add(new Candidate(name));
      }
    } else if (line.wordIndex() == 1 && commands.withFile().contains(line.words().getFirst())) {
      files(line.word(), candidates);
    }
  }

  /// What a folder holds, by the name that was typed for it; nothing where it can't be read.
  private static void files(String typed, List<Candidate> candidates) {
    String folder = typed.substring(0, typed.lastIndexOf('/') + 1);
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(Path.of(folder.isEmpty() ? "." : folder))) {
      for (Path entry : entries) {
        boolean isFolder = Files.isDirectory(entry);
        String name = folder + entry.getFileName() + (isFolder ? "/" : "");
        candidates.add(new Candidate(name, name, null, null, null, null, !isFolder));
      }
    } catch (IOException | DirectoryIteratorException | InvalidPathException _) {
      // a completion that can't be had is none: whoever opens the file says why
    }
  }
}
