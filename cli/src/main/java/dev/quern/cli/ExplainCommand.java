package dev.quern.cli;

import dev.quern.KernelReport;
import dev.quern.llama.LlamaModel;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `quern explain`: who runs what, and why.
@Command(
    name = "explain",
    description = "Shows which provider runs each operator of a model, and why the others do not.")
final class ExplainCommand extends ConsoleCommand {
  @Mixin ModelOptions modelOptions;

  ExplainCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    KernelReport report =
        modelOptions.model == null
            ? LlamaModel.explainDemo(modelOptions.options())
            : LlamaModel.explain(modelOptions.model, modelOptions.options());
    console.out().println(report.text());
    return 0;
  }
}
