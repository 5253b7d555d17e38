package dev.quern.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// IDEs know every property, and say something about it.
class MetadataTest {
  @Test
  void everyPropertyHasADescription() throws Exception {
    JsonNode properties;
    try (var in = getClass().getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
      properties =
          JsonMapper.builder()
              .build()
              .readTree(new String(in.readAllBytes(), StandardCharsets.UTF_8))
              .get("properties");
    }
    List<String> described = new ArrayList<>();
    for (JsonNode property : properties) {
      assertThat(property.path("description").asString(""))
          .as(property.toString())
          .isNotBlank()
          .doesNotContain("\n");
      described.add(property.get("name").asString());
    }
    for (RecordComponent component : QuernProperties.class.getRecordComponents()) {
      if (!component.getName().equals("embedding")) {
        assertThat(described).contains("quern." + dashed(component));
      }
    }
    for (RecordComponent component : QuernChatProperties.class.getRecordComponents()) {
      assertThat(described).contains("quern.chat." + dashed(component));
    }
    assertThat(described)
        .contains("quern.embedding.pooling", "quern.provider", "quern.assert-no-fallback");
  }

  private static String dashed(RecordComponent component) {
    return component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }
}
