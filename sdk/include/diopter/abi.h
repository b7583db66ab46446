/* diopter/abi.h: what host and plugin agree on. C11 and C++20; includes only <stddef.h> and <stdint.h>.
 *
 * Strings are UTF-8, static, NUL-terminated and never NULL ("" when absent) unless the field says so.
 * Growth: fields are only appended. Every struct is read through its size or stride into a zeroed host struct, so an
 * addition raises the level and anything else raises the epoch. */
#ifndef DIOPTER_ABI_H
#define DIOPTER_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIOPTER_ABI_EPOCH 1 /* +1 for an incompatible change here, in Analysis or in an SDK signature */
#define DIOPTER_ABI_LEVEL 0 /* +1 for an addition; a host accepts every level up to its own */

enum { /* diopter_param.type */
       DIOPTER_INT = 1,
       DIOPTER_FLOAT,
       DIOPTER_BOOL,
       DIOPTER_STRING,
       DIOPTER_PATH,
       DIOPTER_CHOICE,
       DIOPTER_TOKEN,     /* exactly one token */
       DIOPTER_HOOKS,     /* a hook name or glob */
       DIOPTER_POSITIONS, /* as `positions` of [[run.edit]] */
       DIOPTER_PROMPTS,   /* a [prompts.NAME] set or "@run/dataset" */
       DIOPTER_INPUT,     /* a tensor or model: "@run/output[layer=8]" or a file */
       DIOPTER_INT_LIST,
       DIOPTER_FLOAT_LIST,
       DIOPTER_STRING_LIST,
       DIOPTER_TOKEN_LIST,
       DIOPTER_CHOICE_LIST,
       DIOPTER_INPUT_LIST,
       DIOPTER_METRIC_LIST
};
enum { /* diopter_output.type; manifests name the last two "@run/name" */
       DIOPTER_METRIC = 1,
       DIOPTER_TENSOR,
       DIOPTER_TABLE,
       DIOPTER_FIGURE,
       DIOPTER_TEXT,
       DIOPTER_FILE,
       DIOPTER_MODEL,
       DIOPTER_DATASET
};
enum { DIOPTER_OBSERVE = 1, DIOPTER_EDIT = 2 }; /* diopter_hook.access; EDIT includes OBSERVE */
enum { DIOPTER_COSMETIC = 1 };                  /* diopter_param.flags: cannot change results; not in the fingerprint */
enum {                                          /* diopter_kind.needs; unknown bits are refused */
       DIOPTER_NEEDS_GRAD = 1,
       DIOPTER_NEEDS_PAIRS = 2,
       DIOPTER_NEEDS_ANSWERS = 4,
       DIOPTER_NEEDS_GENERATION = 8,
       DIOPTER_NEEDS_TOKENIZER = 16,
       DIOPTER_NEEDS_WEIGHTS = 32,
       DIOPTER_NEEDS_TRAINING = 64, /* makes weights; such a run has no [model] */
       DIOPTER_NEEDS_EDITS = 128    /* takes [[run.edit]] blocks */
};
enum { /* diopter_status.code */
       DIOPTER_OK = 0,
       DIOPTER_REFUSED,
       DIOPTER_STOPPED,
       DIOPTER_TORCH,
       DIOPTER_NO_MEMORY,
       DIOPTER_EXCEPTION,
       DIOPTER_NOT_AN_EXCEPTION
};

typedef struct diopter_param {
  const char* name;     /* [a-z][a-z0-9_]*, unique in the kind, not a reserved key of [[run]] */
  const char* doc;      /* one sentence, required */
  const char* unit;     /* "nat", "logit", "tokens"; "" if none */
  const char* fallback; /* default as TOML text, checked like a user's value; NULL: the parameter is required */
  const char* example;  /* TOML text; required when fallback is NULL; used by show --toml, new and check */
  const char* choices;  /* "mean|zero|resample" for DIOPTER_CHOICE and its list */
  const char*
      index_of; /* "layer", "head", "pos", "vocab"...: a valid index of that model axis, negative from the end */
  uint32_t type, flags;
  double min, max; /* inclusive, per element for lists; -INFINITY / INFINITY for none */
} diopter_param;

typedef struct diopter_output {
  const char *name, *doc, *unit;
  const char* dims; /* tensors and tables: "prompt layer pos", in storage order; alternatives: "layer pos|layer head" */
  const char* columns;     /* tables: "token:token prob:float"; types int, float, text, token */
  const char* better;      /* metrics: "higher", "lower" or "" */
  uint32_t type, optional; /* optional = 0: finishing without it is an error */
} diopter_output;

typedef struct diopter_hook {
  const char*
      pattern; /* "blocks.*.hook_resid_post"; {name} inserts a parameter: "blocks.{layer}.attn.hook_z", "{hook}" */
  const char* doc;
  uint32_t access, reserved;
} diopter_hook;

typedef struct diopter_status { /* owned by the host, so no memory changes hands */
  uint32_t struct_size;
  int32_t code;
  char message[2048]; /* one sentence; cut at a character boundary */
} diopter_status;

typedef struct diopter_params diopter_params;   /* diopter::Params */
typedef struct diopter_context diopter_context; /* diopter::Context */

typedef struct diopter_kind {
  uint32_t struct_size, needs, version, reserved; /* version: raised when results change; part of the fingerprint */
  const char *name, *summary, *doc;               /* name and summary equal the stamp's line; doc is Markdown or "" */
  const diopter_param* params;
  uint32_t param_count, param_size; /* _size: sizeof(element) where it was compiled */
  const diopter_output* outputs;
  uint32_t output_count, output_size;
  const diopter_hook* hooks;
  uint32_t hook_count, hook_size;
  int32_t (*create)(const diopter_params*, void** self, diopter_status*); /* [main] often, also without a model */
  int32_t (*run)(void* self, diopter_context*, diopter_status*);          /* [main] once per instance */
  void (*destroy)(void* self);                                            /* [main] once per successful create */
} diopter_kind;                                                           /* none of the three throws */

typedef struct diopter_plugin {
  uint32_t struct_size; /* first, forever */
  uint32_t abi_epoch, abi_level, reserved;
  const char* id; /* "org.example.logit_lens", [a-z0-9._-]+ with a dot; equals the stamp's */
  const char *version, *built_with, *torch_version; /* semver; compiler, recorded with every run; TORCH_VERSION */
  const diopter_kind* kinds;
  uint32_t kind_count, kind_size;
  const void* (*get_extension)(const char* id); /* may be NULL; string-keyed additions such as "diopter.migrate/1" */
} diopter_plugin;                               /* extern const diopter_plugin diopter_entry; one per library */

#ifdef __cplusplus
}
#endif

#endif
