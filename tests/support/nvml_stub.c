/* A libnvidia-ml.so.1 for machines without one: answers from the text file that NVML_STUB names.
 *
 * One `key=value` a line. A key that is absent answers NVML_ERROR_NOT_SUPPORTED (3), the value `!N` answers N.
 * init driver cuda count, and for each GPU `gpuI.` with
 *   handle name uuid cc brand total free mig ecc_mode ecc remap retired mode procs fabric slices
 * and for each MIG slice `gpuI.sliceJ.` with name uuid total free.
 * -DOMIT_FABRIC and -DOMIT_CUDA_V2 leave functions out, as old drivers do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024ULL * 1024ULL)
#define NOT_SUPPORTED 3
#define NOT_FOUND 6
#define INSUFFICIENT_SIZE 7

typedef int Return;
typedef void *Device;

static char text[1 << 16];

static void load(void) {
  const char *path = getenv("NVML_STUB");
  FILE *file = path ? fopen(path, "r") : NULL;
  if (file) {
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
  }
}

/* 0 and the value, or the error that the file asks for. */
static Return look(const char *key, char *value, size_t size) {
  size_t length = strlen(key);
  for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : line) {
    if (strncmp(line, key, length) == 0 && line[length] == '=') {
      const char *start = line + length + 1;
      const char *end = strchr(start, '\n');
      size_t count = end ? (size_t)(end - start) : strlen(start);
      if (count >= size) count = size - 1;
      memcpy(value, start, count);
      value[count] = 0;
      return value[0] == '!' ? atoi(value + 1) : 0;
    }
  }
  return NOT_SUPPORTED;
}

static void key_of(Device device, const char *field, char *key, size_t size) {
  long number = (long)device;
  if (number < 1000)
    snprintf(key, size, "gpu%ld.%s", number - 1, field);
  else
    snprintf(key, size, "gpu%ld.slice%ld.%s", number / 1000 - 1, number % 1000, field);
}

static Return of_device(Device device, const char *field, char *value, size_t size) {
  char key[128];
  key_of(device, field, key, sizeof key);
  return look(key, value, size);
}

static Return number_of(Device device, const char *field, unsigned long long *number) {
  char value[128];
  Return code = of_device(device, field, value, sizeof value);
  if (!code) *number = strtoull(value, NULL, 10);
  return code;
}

static Return copy(Return code, const char *value, char *to, unsigned size) {
  if (!code) snprintf(to, size, "%s", value);
  return code;
}

static Return system_text(const char *key, char *to, unsigned size) {
  char value[256];
  return copy(look(key, value, sizeof value), value, to, size);
}

static Return device_text(Device device, const char *field, char *to, unsigned size) {
  char value[256];
  return copy(of_device(device, field, value, sizeof value), value, to, size);
}

static Return device_number(Device device, const char *field, unsigned *to) {
  unsigned long long number = 0;
  Return code = number_of(device, field, &number);
  if (!code) *to = (unsigned)number;
  return code;
}

/* --- the system --- */
Return nvmlInitWithFlags(unsigned flags) {
  char value[64];
  (void)flags;
  load();
  Return code = look("init", value, sizeof value);
  return code == NOT_SUPPORTED ? 0 : code ? code : atoi(value);
}
Return nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(Return code) { return code == 18 ? "Driver/library version mismatch" : "stub error"; }
Return nvmlSystemGetDriverVersion(char *to, unsigned size) { return system_text("driver", to, size); }
#ifndef OMIT_CUDA_V2
Return nvmlSystemGetCudaDriverVersion_v2(int *to) {
  char value[64];
  Return code = look("cuda", value, sizeof value);
  if (!code) *to = atoi(value);
  return code;
}
#endif
Return nvmlDeviceGetCount_v2(unsigned *to) {
  char value[64];
  Return code = look("count", value, sizeof value);
  if (!code) *to = (unsigned)atoi(value);
  return code;
}
Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device *to) {
  char key[64], value[64];
  snprintf(key, sizeof key, "gpu%u.handle", index);
  Return code = look(key, value, sizeof value);
  *to = (Device)(long)(index + 1);
  return code == NOT_SUPPORTED ? 0 : code;
}

/* --- one GPU or slice --- */
Return nvmlDeviceGetName(Device device, char *to, unsigned size) { return device_text(device, "name", to, size); }
Return nvmlDeviceGetUUID(Device device, char *to, unsigned size) { return device_text(device, "uuid", to, size); }
Return nvmlDeviceGetCudaComputeCapability(Device device, int *major, int *minor) {
  char value[64];
  Return code = of_device(device, "cc", value, sizeof value);
  if (!code && sscanf(value, "%d.%d", major, minor) != 2) code = 999;
  return code;
}
Return nvmlDeviceGetBrand(Device device, unsigned *to) { return device_number(device, "brand", to); }
typedef struct {
  unsigned long long total, free, used;
} Memory;
Return nvmlDeviceGetMemoryInfo(Device device, Memory *to) {
  Return code = number_of(device, "total", &to->total);
  if (!code) code = number_of(device, "free", &to->free);
  to->total *= MIB;
  to->free *= MIB;
  to->used = to->total - to->free;
  return code;
}
Return nvmlDeviceGetMigMode(Device device, unsigned *current, unsigned *pending) {
  *pending = 0;
  return device_number(device, "mig", current);
}
Return nvmlDeviceGetEccMode(Device device, unsigned *current, unsigned *pending) {
  *pending = 0;
  return device_number(device, "ecc_mode", current);
}
Return nvmlDeviceGetTotalEccErrors(Device device, unsigned type, unsigned counter, unsigned long long *to) {
  if (type != 1 || counter != 0) return 2; /* only volatile uncorrected errors are asked for */
  return number_of(device, "ecc", to);
}
Return nvmlDeviceGetRemappedRows(Device device, unsigned *corrected, unsigned *uncorrected, unsigned *pending, unsigned *failed) {
  char value[64];
  Return code = of_device(device, "remap", value, sizeof value);
  *corrected = *uncorrected = 0;
  if (!code && sscanf(value, "%u,%u", pending, failed) != 2) code = 999;
  return code;
}
Return nvmlDeviceGetRetiredPagesPendingStatus(Device device, unsigned *to) { return device_number(device, "retired", to); }
Return nvmlDeviceGetComputeMode(Device device, unsigned *to) { return device_number(device, "mode", to); }
typedef struct {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
} Process;
Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *count, Process *to) {
  unsigned number = 0;
  Return code = device_number(device, "procs", &number);
  if (code) return code;
  unsigned room = *count;
  *count = number;
  if (!number) return 0;
  if (!to || room < number) return INSUFFICIENT_SIZE;
  memset(to, 0, number * sizeof *to);
  return 0;
}
#ifndef OMIT_FABRIC
typedef struct {
  unsigned char cluster[16];
  Return status;
  unsigned clique;
  unsigned char state;
} Fabric;
Return nvmlDeviceGetGpuFabricInfo(Device device, Fabric *to) {
  char value[64];
  unsigned state = 0, status = 0;
  Return code = of_device(device, "fabric", value, sizeof value);
  if (!code) sscanf(value, "%u,%u", &state, &status);
  to->state = (unsigned char)state;
  to->status = (Return)status;
  return code;
}
#endif

/* --- MIG --- */
Return nvmlDeviceGetMaxMigDeviceCount(Device device, unsigned *to) { return device_number(device, "slices", to); }
Return nvmlDeviceGetMigDeviceHandleByIndex(Device device, unsigned index, Device *to) {
  char value[64];
  *to = (Device)(long)((long)device * 1000 + index);
  return of_device(*to, "total", value, sizeof value) ? NOT_FOUND : 0;
}
typedef struct {
  unsigned multiprocessors, copy, decoder, encoder, jpeg, ofa, gpu_slices, compute_slices;
  unsigned long long memory_mb;
} Attributes;
Return nvmlDeviceGetAttributes_v2(Device device, Attributes *to) {
  memset(to, 0, sizeof *to);
  to->gpu_slices = 1;
  return number_of(device, "total", &to->memory_mb);
}
