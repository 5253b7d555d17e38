package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufType;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A limit of the process, or a file's damage that shows while it runs: one line and exit code 1.
class LimitsIT {
  private static final String LIB = System.getProperty("quern.lib");

  @TempDir Path folder;

  /// A model of more files than a process may open.
  @Test
  void tooManyOpenFiles() throws IOException {
    int count = 300;
    try (GgufFile demo = LlamaModel.openDemo()) {
      for (int i = 0; i < count; i++) {
        try (GgufWriter writer = GgufWriter.create(shard(i, count))) {
          if (i == 0) {
            demo.metadata().keys().forEach(key -> writer.copy(demo.metadata(), key));
          }
          writer
              .integer("split.no", GgufType.UINT16, i)
              .integer("split.count", GgufType.UINT16, count)
              .integer("split.tensors.count", GgufType.INT32, demo.tensors().size());
          if (i == 0) {
            copyTensors(demo, writer);
          }
          writer.finish();
        }
      }
    }
    List<String> limited = new ArrayList<>(List.of("sh", "-c", "ulimit -n 200; exec \"$@\"", "sh"));
    limited.addAll(command(List.of(), shard(0, count)));
    assertLine(Child.run(folder, limited), "Too many open files; raise the limit (ulimit -n)");
  }

  @Test
  void aHeapThatIsTooSmallForTheVocabulary() throws IOException {
    int tokens = 400_000;
    Path model = folder.resolve("large.gguf");
    try (GgufFile demo = LlamaModel.openDemo();
        GgufWriter writer = GgufWriter.create(model)) {
      for (String key : demo.metadata().keys()) {
        switch (key) {
          case "tokenizer.ggml.tokens" ->
              writer.strings(key, IntStream.range(0, tokens).mapToObj(id -> "token" + id).toList());
          case "tokenizer.ggml.token_type" -> writer.ints(key, new int[tokens]);
          default -> writer.copy(demo.metadata(), key);
        }
      }
      copyTensors(demo, writer);
      writer.finish();
    }
    // Which thread meets the full heap first, and in the middle of what, differs from one size to
    // the next, and from run to run.
    for (int heap = 8; heap <= 32; heap += 3) {
      Child child = Child.run(folder, command(List.of("-Xmx" + heap + "m"), model));
      assertLine(child, "large.gguf: out of memory: the Java heap of");
      assertLine(child, "start the JVM with a larger one (-Xmx)");
    }
  }

  @Test
  void aWeightThatIsNoNumber() throws IOException {
    Path model = ChangedModel.ofDemo(folder.resolve("nan.gguf"), Map.of());
    long offset;
    try (GgufFile file = GgufFile.open(model)) {
      offset = file.tensor("blk.2.ffn_down.weight").offset();
    }
    try (FileChannel channel = FileChannel.open(model, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {1, 0x7e}), offset); // F16
    }
    assertLine(
        Child.run(folder, command(List.of(), model)),
        "nan.gguf: tensor 'blk.2.ffn_down.weight': 1 of its");
  }

  private Path shard(int number, int count) {
    return folder.resolve(String.format(Locale.ROOT, "m-%05d-of-%05d.gguf", number + 1, count));
  }

  private static void copyTensors(GgufFile from, GgufWriter writer) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      for (GgufTensor tensor : from.tensors()) {
        writer.tensor(tensor.name(), tensor.type(), tensor.dims());
      }
      for (GgufTensor tensor : from.tensors()) {
        writer.data(tensor.name(), from.map(tensor, arena));
      }
    }
  }

  private static List<String> command(List<String> jvm, Path model) {
    List<String> command = new ArrayList<>(List.of(Child.JAVA, "-p", LIB));
    command.addAll(jvm);
    command.addAll(
        List.of(
            "-Dquern.provider=scalar",
            Child.NATIVE_ACCESS,
            "-m",
            "dev.quern.cli/dev.quern.cli.Main",
            "run",
            "--model",
            model.toString(),
            "--prompt",
            "Once upon a time",
            "-n",
            "4"));
    return command;
  }

  private static void assertLine(Child child, String words) {
    assertEquals(1, child.code(), child.err());
    List<String> lines =
        child.err().lines().filter(l -> !l.equals(Child.INCUBATOR_WARNING)).toList();
    assertEquals(1, lines.size(), child.err());
    assertTrue(
        lines.getFirst().startsWith("quern: ") && lines.getFirst().contains(words), child.err());
  }
}
