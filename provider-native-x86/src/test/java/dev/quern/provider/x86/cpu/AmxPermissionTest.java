package dev.quern.provider.x86.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.quern.provider.x86.Host;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AmxPermissionTest {
  @Test
  void asksForTheTilesData() {
    Optional<String> refusal =
        AmxPermission.refusal((operation, component) -> {
          assertEquals(List.of(0x1023L, 18L), List.of(operation, component));
          return 0;
        });
    assertEquals(Optional.empty(), refusal);
  }

  @Test
  void aRefusalIsAReason() {
    assertEquals(
        Optional.of(
            "the system does not permit AMX tiles: arch_prctl(ARCH_REQ_XCOMP_PERM, 18): EPERM"),
        AmxPermission.refusal((_, _) -> -1));
    assertEquals(
        Optional.of(
            "the system does not permit AMX tiles: arch_prctl(ARCH_REQ_XCOMP_PERM, 18): errno 99"),
        AmxPermission.refusal((_, _) -> -99));
  }

  /// A CPU without tiles is refused by the system itself, and one with them mostly is not.
  @Test
  void theSystemAnswers() throws Exception {
    boolean tiles = Host.features().contains("amx_tile");
    Optional<String> refusal = AmxPermission.refusal();
    refusal.ifPresent(r -> System.out.println("[quern] AMX: " + r));
    if (!tiles) {
      assertFalse(refusal.isEmpty());
    }
    assertEquals(refusal, AmxPermission.refusal(), "it may be asked again");
  }
}
