// What a model answers to prompts: one file per kind.
#include "generate.hpp"

DIOPTER_PLUGIN("org.diopter.prompting", "0.1.0",
               (diopter::prompting::Generate, "generate", "Writes on from prompts, plain or under edits.",
                diopter::prompting::kGenerateTable))
