package dev.quern.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Fakes;
import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformsTest {
  /// `java.vm.name`, `java.vm.version` and `java.vm.info`, mostly as JDK 25 prints them.
  @ParameterizedTest
  @CsvSource({
    "OpenJDK 64-Bit Server VM, 25.0.1+8-LTS, 'mixed mode, sharing', C2",
    "OpenJDK 64-Bit Server VM, 25.0.1+8-LTS, 'compiled mode, sharing', C2",
    "OpenJDK 64-Bit Server VM, 25.0.1+8-LTS, 'mixed mode, emulated-client, sharing', C1",
    "OpenJDK 64-Bit Server VM, 25.0.1+8-LTS, 'interpreted mode, sharing', INTERPRETER",
    "OpenJDK Client VM, 25.0.1+8-LTS, mixed mode, C1",
    "OpenJDK 64-Bit Zero VM, 25.0.1+8, interpreted mode, INTERPRETER",
    "Java HotSpot(TM) 64-Bit Server VM, 25+37-jvmci-b01, 'mixed mode, sharing', UNKNOWN",
    "Eclipse OpenJ9 VM, openj9-0.56, 'JRE 25 Linux amd64-64-Bit', UNKNOWN",
  })
  void jitOfTheVm(String name, String version, String info, Jit expected) {
    assertEquals(expected, Platforms.jit(name, version, info, Map.of()));
  }

  /// What only the flags tell.
  @ParameterizedTest
  @CsvSource({
    "TieredStopAtLevel=0 TieredCompilation=false UseCompiler=false, INTERPRETER",
    "TieredStopAtLevel=2 TieredCompilation=true UseCompiler=true, C1",
    "TieredStopAtLevel=3, C1",
    "TieredStopAtLevel=3 TieredCompilation=false, C2",
    "TieredStopAtLevel=4 UseCompiler=false, INTERPRETER",
    "TieredStopAtLevel=4 UseCompiler=true UseJVMCICompiler=false, C2",
    "UseJVMCICompiler=true, UNKNOWN",
  })
  void jitOfTheFlags(String text, Jit expected) {
    Map<String, String> flags = new HashMap<>();
    for (String flag : text.split(" ")) {
      flags.put(flag.split("=")[0], flag.split("=")[1]);
    }
    String name = "OpenJDK 64-Bit Server VM";
    assertEquals(expected, Platforms.jit(name, "25.0.1+8-LTS", "mixed mode, sharing", flags));
  }

  /// A Graal JVM that was told to use C2.
  @Test
  void jvmciThatIsOffIsC2() {
    assertEquals(
        Jit.C2,
        Platforms.jit(
            "Java HotSpot(TM) 64-Bit Server VM",
            "25+37-jvmci-b01",
            "mixed mode",
            Map.of("UseJVMCICompiler", "false")));
  }

  @Test
  void flagsOfThisJvmAreKnown() {
    assertEquals("true", VmFlags.read().get("UseCompiler"));
  }

  @Test
  void namesAreNormalised() {
    assertEquals("linux", Platforms.os("Linux"));
    assertEquals("macos", Platforms.os("Mac OS X"));
    assertEquals("windows", Platforms.os("Windows 11"));
    assertEquals("freebsd", Platforms.os("FreeBSD"));
    assertEquals("x86_64", Platforms.arch("amd64"));
    assertEquals("aarch64", Platforms.arch("aarch64"));
    assertEquals("aarch64", Platforms.arch("arm64"));
  }

  @Test
  void thisMachineIsReadable() {
    var warnings =
        Fakes.logged(() -> {
          Platform here = Platforms.current(Map.of("quern.x", "y"));
          assertTrue(here.modules().contains("java.base"));
          assertEquals("y", here.properties().get("quern.x"));
        });
    assertEquals(0, warnings.size(), warnings.toString());
  }
}
