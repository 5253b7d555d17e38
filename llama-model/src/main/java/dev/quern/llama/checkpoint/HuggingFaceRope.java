package dev.quern.llama.checkpoint;

import dev.quern.llama.text.JsonObject;
import java.util.Arrays;
import java.util.Optional;

/// RoPE as `config.json` states it: `rope_theta` and `rope_scaling`, or, since transformers 5, both
/// in `rope_parameters`. Files that have both spellings must mean the same by them.
record HuggingFaceRope(double base, RopeScaling scaling) {

  static HuggingFaceRope of(JsonObject json, int headDim) {
    Optional<JsonObject> parameters = json.object("rope_parameters");
    Optional<JsonObject> scaling = json.object("rope_scaling");
    JsonObject holder = parameters.or(() -> scaling).filter(r -> r.has("rope_theta")).orElse(json);
    double base = FolderConfig.ropeBase(holder);
    if (json.has("rope_theta") && FolderConfig.ropeBase(json) != base) {
      throw json.fail("rope_theta", json.shown("rope_theta"), base + " as in rope_parameters");
    }
    RopeScaling old = RopeScaling.of(scaling.orElse(null), base, headDim);
    if (parameters.isEmpty()) {
      return new HuggingFaceRope(base, old);
    }
    RopeScaling now = RopeScaling.of(parameters.get(), base, headDim);
    if (scaling.isPresent()
        && (old.positionScale() != now.positionScale()
            || !Arrays.equals(old.factors(), now.factors()))) {
      throw json.fail("rope_scaling", "another scaling", "that of rope_parameters");
    }
    return new HuggingFaceRope(base, now);
  }
}
