/* Counts where a process gives Python's lock away: preloaded, it stands before PyEval_SaveThread.
   At SIGRTMIN+3 the counts since the last time go to the file that LOCK_WAITS names, one place a
   line: the count, the native module, and the line of Python that called it. A thread of each
   process waits for the signal, as a handler may not write. */
#define _GNU_SOURCE
#include <Python.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 8192

typedef PyThreadState *(*save_thread)(void);

static struct place {
    void *at;
    PyCodeObject *code;
    int line;
    long count;
    char python[200];
} places[PLACES];
static int used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void tell(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file)
        return;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < used; i++) {
        Dl_info found = {0};
        dladdr(places[i].at, &found);
        const char *name = found.dli_fname ? strrchr(found.dli_fname, '/') : NULL;
        fprintf(file, "%ld\t%s\t%s\n", places[i].count, name ? name + 1 : "?", places[i].python);
        places[i].count = 0;
    }
    pthread_mutex_unlock(&lock);
    fputs("end\n", file);
    fclose(file);
}

static void *wait_and_tell(void *path) {
    sigset_t asked;
    int number;
    sigemptyset(&asked);
    sigaddset(&asked, SIGRTMIN + 3);
    while (!sigwait(&asked, &number))
        tell(path);
    return NULL;
}

static void listen_for_it(void) {
    pthread_t thread;
    char *path = getenv("LOCK_WAITS");
    if (path)
        pthread_create(&thread, NULL, wait_and_tell, strdup(path));
}

PyThreadState *PyEval_SaveThread(void) {
    static save_thread real;
    if (!real)
        real = (save_thread)dlsym(RTLD_NEXT, "PyEval_SaveThread");
    void *at = __builtin_return_address(0);
    PyFrameObject *frame = PyEval_GetFrame();
    PyCodeObject *code = frame ? PyFrame_GetCode(frame) : NULL;
    int line = frame ? PyFrame_GetLineNumber(frame) : 0;
    pthread_mutex_lock(&lock);
    int i = 0;
    while (i < used && (places[i].at != at || places[i].code != code || places[i].line != line))
        i++;
    if (i == used && used < PLACES) {
        places[i].at = at, places[i].code = code, places[i].line = line;
        if (code)
            snprintf(places[i].python, sizeof places[i].python, "%s:%d %s",
                     PyUnicode_AsUTF8(code->co_filename), line, PyUnicode_AsUTF8(code->co_name));
        used++;
    }
    if (i < PLACES)
        places[i].count++;
    pthread_mutex_unlock(&lock);
    Py_XDECREF(code);
    return real();
}

/* Before there are threads: all of them block the signal, and each child has the thread again. */
__attribute__((constructor)) static void begin(void) {
    sigset_t asked;
    sigemptyset(&asked);
    sigaddset(&asked, SIGRTMIN + 3);
    pthread_sigmask(SIG_BLOCK, &asked, NULL);
    pthread_atfork(NULL, NULL, listen_for_it);
    listen_for_it();
}
