package dev.quern.cli.model;

import dev.quern.KernelReport;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `quern explain`: who runs what, and why.
@Command(
    name = "explain",
    description = "Shows which provider runs each operator of a model, and why the others do not.")
public final class ExplainCommand extends ConsoleCommand {
  @Mixin ModelOptions modelOptions;

  public ExplainCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    LoadOptions options = modelOptions.options();
    KernelReport report =
        modelOptions.model == null
            ? LlamaModel.explainDemo(options)
            : LlamaModel.explain(modelOptions.model, options);
    console.out().println(report.text());
    console
        .out()
        .println(
            "memory: "
                + LlamaModel.hugePageRefusal(options)
                    .map(reason -> "no huge pages: " + reason)
                    .orElse("huge pages for packed weights and KV caches that are large enough"));
    console.out().println("threads: " + LlamaModel.threads(options));
    return 0;
  }
}
