package dev.quern.cli.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern logits`: what the model computes, for comparisons.
@Command(
    name = "logits",
    description = "Prints the logits after each token, as a JSON array of arrays.")
public final class LogitsCommand extends ConsoleCommand {
  @Mixin ModelOptions modelOptions;

  @Option(
      names = "--tokens",
      paramLabel = "ID",
      split = ",",
      required = true,
      description = "Token ids, for example 1,2,3; taken as they are.")
  int[] tokens;

  public LogitsCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    try (LlamaModel model = modelOptions.load(console);
        LlamaSession session = model.newSession();
        JsonGenerator json = new JsonFactory().createGenerator(console.out())) {
      json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
      json.disable(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT); // nothing to stdout on an error
      session.evaluate(tokens, logits -> writeRow(json, logits));
      json.writeEndArray();
      json.flush();
      console.out().println();
    }
    return 0;
  }

  private static void writeRow(JsonGenerator json, float[] logits) {
    try {
      if (json.getOutputContext().inRoot()) {
        json.writeStartArray(); // of all positions
      }
      json.writeStartArray();
      for (float logit : logits) {
        json.writeNumber(logit);
      }
      json.writeEndArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
