package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.Operator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a recording hears of a generation: 2 layers, a prompt of 5 tokens, 4 tokens generated.
class FlightRecorderTest {
  private static final String[] EVENTS = {
    "dev.quern.KernelCall",
    "dev.quern.ForwardPass",
    "dev.quern.Token",
    "dev.quern.EngineStep",
    "dev.quern.EngineRequest"
  };

  private static final int[] PROMPT = {1, 2, 3, 4, 5};
  private static final GenerationOptions FOUR = GenerationOptions.greedy(4).ignoringEnd();

  @TempDir Path folder;

  @Test
  void everyKernelCallAndTokenIsAnEvent() throws IOException {
    List<RecordedEvent> events = record(true, FlightRecorderTest::inASession);
    List<RecordedEvent> passes = named(events, "dev.quern.ForwardPass");
    assertEquals(List.of(5, 1, 1, 1), passes.stream().map(e -> e.getInt("rows")).toList());
    assertEquals(List.of(0, 5, 6, 7), passes.stream().map(e -> e.getInt("position")).toList());
    List<RecordedEvent> tokens = named(events, "dev.quern.Token");
    assertEquals(4, tokens.size());
    Map<String, Integer> calls = new TreeMap<>();
    for (RecordedEvent e : named(events, "dev.quern.KernelCall")) {
      calls.merge(e.getString("operator"), 1, Integer::sum);
    }
    // A pass: 2 layers of QKV, output, gate+up, down; norms, ropes, append and attention. Logits: a
    // norm and the output matrix.
    assertEquals(
        Map.of(
            Operator.LINEAR.id(), 4 * (2 * 4 + 1),
            Operator.RMSNORM.id(), 4 * (2 * 2 + 1),
            Operator.ROPE.id(), 4 * 2 * 2,
            Operator.ATTENTION.id(), 4 * 2 * 2,
            Operator.SWIGLU.id(), 4 * 2),
        calls);
    // The prompt, of which the last layer computes four rows, and tokens.
    assertEquals(
        new TreeSet<>(Arrays.asList(1, 4, 5)),
        new TreeSet<>(
            named(events, "dev.quern.KernelCall").stream().map(e -> e.getInt("rows")).toList()));
  }

  @Test
  void anEnginesStepsAndRequestsAreEvents() throws IOException {
    List<RecordedEvent> events = record(true, FlightRecorderTest::inAnEngine);
    List<RecordedEvent> steps = named(events, "dev.quern.EngineStep");
    assertEquals(4, steps.size()); // the prompt gives the first token
    assertEquals(List.of(5, 1, 1, 1), steps.stream().map(e -> e.getInt("rows")).toList());
    assertEquals(List.of(5, 0, 0, 0), steps.stream().map(e -> e.getInt("promptRows")).toList());
    for (RecordedEvent step : steps) {
      assertEquals(1, step.getInt("generated"));
      assertEquals(1, step.getInt("running"));
      assertEquals(0, step.getInt("waiting"));
      assertTrue(step.getLong("kvBytes") > 0);
    }
    List<RecordedEvent> requests = named(events, "dev.quern.EngineRequest");
    assertEquals(1, requests.size());
    assertEquals(5, requests.getFirst().getInt("promptTokens"));
    assertEquals(0, requests.getFirst().getInt("cachedTokens"));
    assertEquals(4, requests.getFirst().getInt("generatedTokens"));
    assertEquals("MAX_TOKENS", requests.getFirst().getString("end"));
    assertTrue(requests.getFirst().getDuration().compareTo(steps.getFirst().getDuration()) > 0);
  }

  @Test
  void aRecordingThatDoesNotAskHearsNothing() throws IOException {
    assertTrue(
        record(false, FlightRecorderTest::inASession).stream()
            .noneMatch(e -> e.getEventType().getName().contains("quern")));
  }

  private List<RecordedEvent> record(boolean enabled, Consumer<LlamaModel> run) throws IOException {
    Path model = new SyntheticModel().write(folder.resolve("model.gguf"));
    Path file = folder.resolve("recording.jfr");
    try (Recording recording = new Recording()) {
      for (String event : EVENTS) {
        if (enabled) {
          recording.enable(event);
        }
      }
      recording.start();
      LoadOptions options =
          LoadOptions.defaults()
              .withKernels(KernelOptions.fromSystem().withProvider("scalar"))
              .withThreads(1);
      try (LlamaModel loaded = LlamaModel.load(model, options)) {
        run.accept(loaded);
      }
      recording.stop();
      recording.dump(file);
    }
    return RecordingFile.readAllEvents(file).stream()
        .sorted((a, b) -> a.getStartTime().compareTo(b.getStartTime()))
        .toList();
  }

  private static void inASession(LlamaModel model) {
    try (LlamaSession session = model.newSession()) {
      session.generateTokens(PROMPT, FOUR, _ -> true);
    }
  }

  private static void inAnEngine(LlamaModel model) {
    try (Engine engine = model.newEngine(EngineOptions.defaults())) {
      engine.submit(EngineRequest.of(PROMPT, FOUR), _ -> {}).await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<RecordedEvent> named(List<RecordedEvent> events, String name) {
    return events.stream().filter(e -> e.getEventType().getName().equals(name)).toList();
  }
}
