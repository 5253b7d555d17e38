package dev.quern.cli.model;

import dev.quern.KernelOptions;
import dev.quern.cli.console.Restart;
import dev.quern.data.KvFormat;
import dev.quern.llama.LoadOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The options that say how a model runs, whichever it is and on whatever provider.
public class RunningOptions {
  /// Element formats of the KV cache, as users name them.
  enum Kv {
    F16(KvFormat.F16),
    F32(KvFormat.F32);

    private final KvFormat format;

    Kv(KvFormat format) {
      this.format = format;
    }
  }

  /// What kernels may round.
  enum NumericsChoice {
    ANY,
    EXACT,
    INVARIANT
  }

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description =
          "Threads. Default: the physical cores that the process may use, or what its CPU quota comes to.")
  Integer threads;

  @Option(
      names = "--kv",
      paramLabel = "FORMAT",
      description = "KV cache: f16 or f32. Default: f16.")
  Kv kv = Kv.F16;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Positions of the KV cache. Default: the model's, at most 4096.")
  public int context;

  @Option(
      names = "--numerics",
      paramLabel = "KIND",
      description =
          "exact: no kernel rounds activations; invariant: a row's results have the same bits whatever is computed with it; any: the provider chooses. Default: the system property quern.numerics, else any.")
  NumericsChoice numerics;

  protected RunningOptions() {}

  /// The system properties' choice of kernels, with another list of providers where there is one,
  /// or the launcher has left all but one out.
  static KernelOptions kernels(Optional<String> provider) {
    KernelOptions kernels = KernelOptions.fromSystem();
    return provider.or(Restart::alone).map(kernels::withProvider).orElse(kernels);
  }

  /// What the options come to, over the system properties.
  ///
  /// @param provider a list of providers; empty for the system property's
  public final LoadOptions options(Optional<String> provider) {
    KernelOptions kernels = kernels(provider);
    if (numerics != null) {
      kernels = kernels.with("quern.numerics", numerics.name().toLowerCase(Locale.ROOT));
    }
    LoadOptions options =
        LoadOptions.defaults().withKernels(kernels).withKv(kv.format).withContext(context);
    return threads == null ? options : options.withThreads(threads);
  }

  /// The options as words of a command line, for a command in a JVM of its own; without
  /// `--context`, which follows from what that command does.
  public final List<String> words() {
    List<String> words = new ArrayList<>();
    if (threads != null) {
      words.addAll(List.of("--threads", threads.toString()));
    }
    words.addAll(List.of("--kv", kv.name()));
    if (numerics != null) {
      words.addAll(List.of("--numerics", numerics.name().toLowerCase(Locale.ROOT)));
    }
    return words;
  }
}
