/// Who hears of kernel calls: decorated kernels, and the events of JDK Flight Recorder. Internal:
/// not exported.
package dev.quern.llama.observe;
