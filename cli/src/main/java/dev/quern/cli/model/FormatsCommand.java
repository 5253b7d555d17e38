package dev.quern.cli.model;

import dev.quern.Choice;
import dev.quern.Kernels;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `quern formats`: what a weight costs in each format, and who multiplies by it here.
@Command(
    name = "formats",
    description =
        "Lists the weight formats: bits a weight, and which provider runs a matrix of it on this machine, for one row (decode) and for many (prefill).")
public final class FormatsCommand extends ConsoleCommand {
  /// A layer's matrix of a 1B model, a whole number of blocks in every format.
  private static final int SIZE = 2048;

  private static final int PREFILL_ROWS = 512;

  @Option(
      names = {"-P", "--provider"},
      paramLabel = "LIST",
      description = ModelOptions.PROVIDER)
  String provider;

  public FormatsCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() {
    try (Kernels kernels = Kernels.load(RunningOptions.kernels(Optional.ofNullable(provider)))) {
      BlockFormat.standard().forEach(format -> kernels.linear(spec(format)));
      // One choice for each spec, in the order in which they were asked for.
      Iterator<Choice> choices = kernels.report().choices().iterator();
      row("format", "bits", "decode", "prefill");
      for (BlockFormat format : BlockFormat.standard()) {
        Choice choice = choices.next();
        row(
            format.id(),
            String.format(Locale.ROOT, "%.3f", bits(format)),
            RowKernels.kernel(choice, 1),
            RowKernels.kernel(choice, PREFILL_ROWS));
      }
    }
    return 0;
  }

  private static LinearSpec spec(BlockFormat format) {
    return LinearSpec.of(format, SIZE, SIZE).withTolerated(Set.copyOf(Numerics.standard()));
  }

  private void row(String format, String bits, String decode, String prefill) {
    String line = String.format(Locale.ROOT, "%-9s %6s  %-42s  %s", format, bits, decode, prefill);
    console.out().println(line.stripTrailing());
  }

  /// Bits of a weight, its part of scales in a plane of their own included.
  private static double bits(BlockFormat format) {
    long weights = (long) SIZE * SIZE;
    long bytes =
        weights / format.blockElements() * format.blockBytes()
            + format.scalePlane().bytes(SIZE, format.blocksPerRow(SIZE));
    return 8.0 * bytes / weights;
  }
}
