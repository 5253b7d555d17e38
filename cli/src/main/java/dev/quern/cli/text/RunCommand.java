package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.model.Metrics;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.KernelProfile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern run`: prompt and continuation to stdout, a line of metrics to stderr.
@Command(name = "run", description = "Continues a text.")
public final class RunCommand extends ConsoleCommand {
  private static final Path STANDARD_ERROR = Path.of("-");

  @Mixin ModelOptions modelOptions;

  @Mixin PromptOptions promptOptions;

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description = "Most tokens to generate. Default: ${DEFAULT-VALUE}.")
  int maxTokens = 256;

  @Mixin SamplingFlags sampling;

  @Option(
      names = "--stats-json",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description =
          "Write the metrics as JSON; - is standard error, in one line instead of the one for people, since the text is on standard output.")
  Path statsJson;

  @Option(
      names = "--profile",
      description = "Also print the share of each operator in the prompt and in decoding.")
  boolean profile;

  @Mixin GeneratedTextOptions textOptions;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public RunCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    final String prompt = promptOptions.text(spec, console);
    boolean inline = STANDARD_ERROR.equals(statsJson);
    OutputFile stats = new OutputFile("--stats-json", inline ? null : statsJson);
    OutputFile.check(List.of(stats), Arrays.asList(modelOptions.model));
    GenerationOptions options =
        textOptions.with(GenerationOptions.of(maxTokens, sampling.options(0)));
    Optional<KernelProfile> kernels = profile ? Optional.of(new KernelProfile()) : Optional.empty();
    LoadOptions loading = modelOptions.options();
    loading = kernels.map(loading::withProfile).orElse(loading);
    try (LlamaModel model = modelOptions.load(console, loading);
        LlamaSession session = model.newSession()) {
      int[] tokens = session.encodePrompt(prompt, promptOptions.special);
      PrintStream out = textOptions.stream(console);
      print(prompt, out);
      Generation generation = session.generate(tokens, options, text -> print(text, out));
      Metrics metrics = Metrics.of(model, generation);
      if (console.interactive()) {
        out.println();
      }
      console.err().println(inline ? metrics.jsonLine() : metrics.line());
      kernels.ifPresent(k -> console.err().print(ProfileText.of(k, generation)));
      if (statsJson != null && !inline) {
        stats.write(metrics.json());
      }
    }
    return 0;
  }

  private static void print(String text, PrintStream out) {
    out.print(text);
    out.flush();
  }
}
