package dev.quern.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.tool.function.FunctionToolCallback;
import tools.jackson.databind.json.JsonMapper;

/// Options are copied, merged and written as JSON without losing one.
class QuernChatOptionsTest {
  private static QuernChatOptionsBuilder all() {
    return QuernChatOptions.builder()
        .model("demo")
        .temperature(0.5)
        .topK(10)
        .topP(0.9)
        .minP(0.1)
        .typicalP(0.8)
        .maxTokens(7)
        .stopSequences(List.of("x", "y"))
        .frequencyPenalty(0.1)
        .presencePenalty(0.2)
        .repeatPenalty(1.1)
        .repeatLastN(3)
        .seed(42L)
        .logitBias(Map.of(5, -1.5))
        .toolChoice("required")
        .templateVariables(Map.of("enable_thinking", false))
        .timeout(Duration.ofSeconds(3))
        .outputSchema("{\"type\":\"object\"}");
  }

  @Test
  void aCopyIsEqualAndItsChangesAreItsOwn() {
    QuernChatOptions options = all().build();
    assertEquals(options, options.mutate().build());
    assertEquals(options.hashCode(), options.mutate().build().hashCode());
    assertNotEquals(options, options.mutate().seed(43L).build());
    assertNotEquals(options, options.mutate().topK(11).build());
    QuernChatOptionsBuilder builder = all();
    builder.clone().seed(1L).temperature(1.0);
    assertEquals(options, builder.build());
  }

  @Test
  void jsonHasAllButTools() {
    JsonMapper mapper = JsonMapper.builder().build();
    QuernChatOptions options = all().build();
    String json =
        mapper.writeValueAsString(
            options
                .mutate()
                .toolCallbacks(
                    FunctionToolCallback.builder("now", () -> "12:00")
                        .description("the time")
                        .build())
                .toolContext("who", "me")
                .build());
    assertEquals(options, mapper.readValue(json, QuernChatOptions.class), json);
    assertFalse(json.contains("now"), json);
    assertEquals("{}", mapper.writeValueAsString(QuernChatOptions.builder().build()));
  }

  @Test
  void whatIsSetGoesOverWhatIsThere() {
    QuernChatOptions options =
        all()
            .stopSequences(null)
            .combineWith(QuernChatOptions.builder().seed(1L).temperature(0.1))
            .build();
    assertEquals(all().stopSequences(null).seed(1L).temperature(0.1).build(), options);
  }

  @Test
  void portableOptionsGoOverToo() {
    QuernChatOptions options =
        QuernChatOptions.builder()
            .seed(9L)
            .combineWith(ChatOptions.builder().topK(3))
            .combineWith(StructuredOutputChatOptions.builder().outputSchema("{}"))
            .build();
    assertEquals(3, options.getTopK());
    assertEquals(9L, options.getSeed());
    assertEquals("{}", options.getOutputSchema());
    assertNull(options.getTemperature());
  }

  @Test
  void nullTakesAValueBack() {
    assertNull(all().timeout(null).build().getTimeout());
    assertEquals(
        QuernChatOptions.builder().build(), QuernChatOptions.builder().seed(1L).seed(null).build());
  }
}
