package dev.quern.spark;

import dev.quern.llama.error.LlamaException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/// How many threads a model gets in a process of Spark's: those of all tasks that run there at
/// once.
final class ExecutorThreads {
  private static final Pattern LOCAL = Pattern.compile("local\\[(\\d{1,6}|\\*)(?:,[^\\]]*)?\\]");
  private static final String CORES = "--cores";

  private ExecutorThreads() {}

  static int of(SparkEnv env, int cpusOfTask) {
    boolean local = env.executorId().equals("driver");
    // HotSpot's, since the one of ProcessHandle is cut where class paths are long.
    List<String> arguments = List.of(System.getProperty("sun.java.command", "").split(" "));
    return of(local ? local(env.conf()) : cores(env.conf(), arguments), cpusOfTask);
  }

  /// Processors that tasks of so many each leave unused are nobody's.
  static int of(int cores, int cpusOfTask) {
    return Math.max(1, cores / cpusOfTask) * cpusOfTask;
  }

  /// In local mode tasks run in the driver.
  static int local(SparkConf conf) {
    String master = conf.get("spark.master");
    if (master.equals("local")) {
      return 1;
    }
    Matcher cores = LOCAL.matcher(master);
    if (!cores.matches()) {
      throw unknown("spark.master=" + master);
    }
    return cores.group(1).equals("*")
        ? Runtime.getRuntime().availableProcessors()
        : Integer.parseInt(cores.group(1));
  }

  /// @param arguments of the executor's command line, which has its cores in a standalone cluster
  ///   where no property has them
  static int cores(SparkConf conf, List<String> arguments) {
    int at = arguments.indexOf(CORES);
    Optional<String> own =
        at >= 0 && at + 1 < arguments.size()
            ? Optional.of(arguments.get(at + 1))
            : Optional.ofNullable(conf.get("spark.executor.cores", null));
    return own.filter(n -> n.matches("\\d{1,6}"))
        .map(Integer::parseInt)
        .orElseThrow(() -> unknown("no spark.executor.cores"));
  }

  private static LlamaException unknown(String what) {
    return new LlamaException(
        "threads: an executor's cores are not known here ("
            + what
            + "), expected threads(...) of the batch");
  }
}
