package dev.quern.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocationsTest {
  @ParameterizedTest
  @CsvSource({
    "jar:file:/lib/a.jar!/x/y, file:/lib/a.jar",
    "jar:file:///lib/a.jar!/x/y, file:/lib/a.jar",
    "file:/classes/x/y, file:/classes/",
    "file:///classes/x/y, file:/classes/",
    "jrt:/my.module/x/y, jrt:/my.module/",
    "odd:thing, odd:thing",
  })
  void theHolderOfAResource(String url, String expected) {
    assertEquals(expected, Locations.holding(url, "x/y"));
  }

  @ParameterizedTest
  @CsvSource({
    "file:/lib/a%20b.jar, /lib/a b.jar",
    "file:/lib/a b.jar, file:/lib/a b.jar",
    "jrt:/my.module/, jrt:/my.module/",
    "unknown location, unknown location",
  })
  void peopleReadPaths(String location, String expected) {
    assertEquals(expected, Locations.forPeople(location));
  }

  @Test
  void classesOfTheJdkHaveNone() {
    assertEquals(Locations.UNKNOWN, Locations.of(String.class));
  }
}
