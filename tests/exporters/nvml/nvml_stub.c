/* libnvidia-ml.so.1 without a GPU: boards whose power is a square wave of CLOCK_BOOTTIME.
 *
 * The file named by WATTMARK_NVML_STUB holds lines "key value" and is read again at each call, so
 * that a test can change the hardware while a program runs. Energy and power move once a period;
 * board i draws (i + 1) times the wave. "counter" 0: there is none, 2: it reads 0, 3: it stands
 * still. Layouts follow nvml.h, as nvidia-ml-py has them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15, UNKNOWN = 999 };
typedef struct { uint32_t field, scope; int64_t time_us, latency_us; int32_t type, code;
    union { unsigned u; unsigned long long ull; } value; } FieldValue;
typedef struct { double boards, low, high, half_ms, period_ms, counter, lost, sentinel, reasons,
    average_only, no_fields, architecture, major, mig, init, odd_name, odd_uuid, broken, hidden,
    only_watts; } Knobs;
static const char *NAMES[] = { "boards", "low", "high", "half_ms", "period_ms", "counter", "lost",
    "sentinel", "reasons", "average_only", "no_fields", "architecture", "major", "mig", "init",
    "odd_name", "odd_uuid", "broken", "hidden", "only_watts" };

static Knobs knobs(void) {
    Knobs k = { 1, 60, 300, 300, 20, 1, -1, 0, 0, 0, 0, 9, 9, 0, 0, -1, -1, -1, -1, 0 };
    FILE *file = fopen(getenv("WATTMARK_NVML_STUB"), "r");
    char name[32];
    double value;
    while (file && fscanf(file, "%31s %lf", name, &value) == 2)
        for (unsigned i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
            if (!strcmp(name, NAMES[i])) ((double *)&k)[i] = value;
    if (file) fclose(file);
    return k;
}

static double tick_seconds(const Knobs *k) { /* when the values last moved */
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    double period = k->period_ms / 1e3, seconds = now.tv_sec + now.tv_nsec / 1e9;
    return (double)(uint64_t)(seconds / period) * period;
}

static double joules(const Knobs *k, double seconds) { /* from boot, of board 0 */
    double half = k->half_ms / 1e3, cycles = (double)(uint64_t)(seconds / (2 * half));
    double rest = seconds - cycles * 2 * half, high = rest > half ? rest - half : 0;
    return (cycles * half + rest - high) * k->low + (cycles * half + high) * k->high;
}

static double watts(const Knobs *k, int average) { /* the last 1 ms, or the last 1 s */
    if (k->only_watts) return k->only_watts;
    double end = tick_seconds(k), width = average ? 1 : 1e-3;
    return (joules(k, end) - joules(k, end - width)) / width;
}

static int board(void *handle, Knobs *k) { /* its index, or -1 once it is lost */
    *k = knobs();
    int index = (int)(intptr_t)handle - 1;
    return index == (int)k->lost ? -1 : index;
}
#define BOARD Knobs k; int i = board(device, &k); if (i < 0) return GPU_IS_LOST; \
    if (i == (int)k.broken) return UNKNOWN
#define GIVE(type, good, bad) *out = (type)(k.sentinel ? (bad) : (good)); return OK

int nvmlInitWithFlags(unsigned flags) { (void)flags; return (int)knobs().init; }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == GPU_IS_LOST ? "GPU is lost" : "some error"; }
int nvmlDeviceGetCount_v2(unsigned *out) { *out = (unsigned)knobs().boards; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    if (index == (unsigned)(int)knobs().hidden) return UNKNOWN;
    *device = (void *)(intptr_t)(index + 1); return OK; }
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
    *device = (void *)(intptr_t)(atoi(uuid + strlen("GPU-stub-")) + 1); return OK; }
int nvmlDeviceGetUUID(void *device, char *out, unsigned size) {
    BOARD; snprintf(out, size, i == (int)k.odd_uuid ? "GPU-stub-%d\xe9" : "GPU-stub-%d", i); return OK; }
int nvmlDeviceGetName(void *device, char *out, unsigned size) {
    BOARD; snprintf(out, size, i == (int)k.odd_name ? "NVIDIA \xe9\x1b[31m Stub" : "NVIDIA Stub"); return OK; }
int nvmlDeviceGetArchitecture(void *device, unsigned *out) {
    BOARD; *out = (unsigned)k.architecture; return OK; }
int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {
    BOARD; *major = (int)k.major; *minor = 0; return OK; }
int nvmlDeviceGetMigMode(void *device, unsigned *now, unsigned *later) {
    BOARD; *now = *later = (unsigned)k.mig; return OK; }
int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *out) {
    BOARD; GIVE(unsigned, 400000 * (i + 1), -1); }
int nvmlDeviceGetPowerManagementDefaultLimit(void *device, unsigned *out) {
    BOARD; GIVE(unsigned, 400000 * (i + 1), -1); }
int nvmlDeviceGetTemperatureV(void *device, int *out) { /* version, sensor, celsius */
    BOARD; out[2] = k.sentinel ? 0x7ffffff2 : 45; return OK; }
int nvmlDeviceGetUtilizationRates(void *device, unsigned *out) {
    BOARD; out[1] = 0; GIVE(unsigned, 75, -1); }
int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *out) {
    BOARD; out[1] = out[2] = k.sentinel ? ~0ull : 1ull << 30; GIVE(unsigned long long, 2ull << 30, ~0ull); }
int nvmlDeviceGetClockInfo(void *device, int type, unsigned *out) {
    BOARD; GIVE(unsigned, type == 2 ? 2600 : 1500, -1); }
int nvmlDeviceGetCurrentClocksEventReasons(void *device, unsigned long long *out) {
    BOARD; GIVE(unsigned long long, k.reasons, ~0ull); }
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, void *out) {
    BOARD; (void)out; *count = 0; return OK; }
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *out) {
    BOARD; if (!k.counter) return NOT_SUPPORTED;
    GIVE(unsigned long long, k.counter == 2 ? 0 : joules(&k, k.counter == 3 ? 1000 : tick_seconds(&k)) * (i + 1) * 1e3, 9223372036854775794ull); }
int nvmlDeviceGetPowerUsage(void *device, unsigned *out) {
    BOARD; GIVE(unsigned, watts(&k, k.architecture >= 7) * (i + 1) * 1e3, -1); }
int nvmlDeviceGetFieldValues(void *device, int count, FieldValue *values) {
    BOARD; if (k.no_fields) return NOT_SUPPORTED;
    for (FieldValue *v = values; v < values + count; v++) {
        int energy = v->field == 83, average = v->field == 185;
        v->code = (energy && !k.counter) || (v->field == 186 && k.average_only) ? NOT_SUPPORTED : OK;
        v->type = energy ? 3 : 1;
        v->value.ull = 9223372036854775794ull; /* what lies there when it is not answered */
        if (v->code) continue;
        if (energy) nvmlDeviceGetTotalEnergyConsumption(device, &v->value.ull);
        else v->value.u = k.sentinel ? 0 : (unsigned)(watts(&k, average) * (i + 1) * 1e3);
    }
    return OK;
}
