// The C library's allocator, set up for a process that replaces large documents and must give back what
// they took.
//
// Called once, before any thread starts. Does nothing where the allocator is another one.
#pragma once

namespace flagstone::sidecar {

void tune_allocator();
// Gives unused memory back to the system. Takes a few milliseconds when there is much of it.
void give_back_unused_memory();

}  // namespace flagstone::sidecar
