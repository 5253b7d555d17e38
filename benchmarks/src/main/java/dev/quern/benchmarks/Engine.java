package dev.quern.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// One of the two that are compared, as commands in processes of their own.
interface Engine {
  String name();

  /// The command that measures a [Workload.Kind#SPEED] workload.
  List<String> benchCommand(Workload workload, Path model);

  /// Runs that command once: the median of its repetitions, in tokens a second.
  double tokensPerSecond(Workload workload, Path model) throws IOException, InterruptedException;

  /// The command that continues a text, greedily, on a context of 2,048 positions.
  List<String> runCommand(Path model, String prompt, int maxTokens);
}
