package dev.quern.cli.model;

import dev.quern.KernelOptions;
import dev.quern.Kernels;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.ScalePlane;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `quern warm`: the training run of a class archive. The launcher runs `quern selfcheck` before it
/// and stores the archive after it; this class only loads what later starts will load.
@Command(
    name = "warm",
    description =
        "Runs selfcheck, then stores a class archive of the loaded classes, which makes later starts faster.",
    footer = {
      "",
      "The launcher ./quern does both, and uses the archive from then on. Started without it, this command is a training run: add -XX:ArchiveClassesAtExit=FILE to the JVM's options."
    })
public final class WarmCommand extends ConsoleCommand {
  private static final String PROMPT = "Once upon a time there was a little girl who";
  private static final int TOKENS = 24;
  private static final int INPUTS = 256; // a whole number of every format's blocks
  private static final int OUTPUTS = 16;

  @Option(names = "--no-selfcheck", description = "Store the class archive only.")
  boolean noSelfcheck; // the launcher's business: this class runs no selfcheck

  public WarmCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(LoadOptions.defaults());
        LlamaSession session = model.newSession()) {
      session.generate(session.encodePrompt(PROMPT), GenerationOptions.greedy(TOKENS), _ -> {});
    }
    try (Kernels kernels = Kernels.load(KernelOptions.fromSystem())) {
      for (BlockFormat format : BlockFormat.standard()) {
        if (format.scalePlane() == ScalePlane.INLINE) { // what GGUF files hold
          multiply(kernels, format);
        }
      }
    }
    return 0;
  }

  /// One row and several, on a matrix of zeros.
  private static void multiply(Kernels kernels, BlockFormat format) {
    try (Arena arena = Arena.ofShared()) {
      LinearSpec spec =
          new LinearSpec(format, OUTPUTS, INPUTS, false, Set.copyOf(Numerics.standard()));
      MemorySegment weights = arena.allocate(OUTPUTS * format.rowBytes(INPUTS));
      LinearKernel kernel =
          kernels
              .linear(spec)
              .pack(
                  List.of(new WeightMatrix(format, weights, OUTPUTS, INPUTS)),
                  arena,
                  Workers.sequential());
      for (int rows : new int[] {1, 9}) {
        MemorySegment scratch =
            arena.allocate(kernel.scratchBytes(rows, 1), Workspace.SCRATCH_ALIGNMENT);
        kernel.apply(
            F32Matrix.allocate(arena, rows, INPUTS),
            F32Matrix.allocate(arena, rows, OUTPUTS),
            new Workspace(scratch, Workers.sequential()));
      }
    }
  }
}
