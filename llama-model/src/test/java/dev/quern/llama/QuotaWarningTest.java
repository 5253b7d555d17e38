package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.KernelOptions;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.machine.HugePageSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A load that is to use more threads than the CPU quota has time for says so.
class QuotaWarningTest {
  @TempDir Path folder;

  @Test
  void aLoadWarns() throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("model.gguf"));
    LoadOptions options =
        LoadOptions.defaults()
            .withKernels(KernelOptions.fromSystem().withProvider("scalar"))
            .withThreads(2);
    assertEquals(List.of(), warnings(file, options, cpus(64, 32, 1.5)));
    assertEquals(
        List.of(cpus(64, 32, 1.).warning(2).orElseThrow()),
        warnings(file, options, cpus(64, 32, 1.)));
  }

  private static List<String> warnings(Path file, LoadOptions options, CpuCores cpus)
      throws IOException {
    List<String> heard = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            heard.add(record.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger("dev.quern.llama");
    boolean parents = logger.getUseParentHandlers();
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    try {
      Surroundings surroundings =
          new Surroundings(
              OptionalLong::empty, Long.MAX_VALUE, HugePageSystem.THIS_MACHINE, () -> cpus);
      LlamaModel.load(file, options, surroundings).close();
    } finally {
      logger.setUseParentHandlers(parents);
      logger.removeHandler(handler);
    }
    return heard;
  }

  private static CpuCores cpus(int processors, int cores, Double quota) {
    return new CpuCores(
        processors, cores, quota == null ? OptionalDouble.empty() : OptionalDouble.of(quota));
  }
}
