/* A USB camera without the USB: stands before libc (LD_PRELOAD) and answers V4L2 for one path.
 *
 * $FAKE_CAMERA is a folder. The camera is plugged in while FOLDER/video exists. It delivers
 * FOLDER/0.jpg to 9.jpg over and over, 30 a second, only the first one while FOLDER/frozen
 * exists. What it is asked for it notes as the names of empty files, for vision may not write a
 * byte: FOLDER/asked-0001-MJPG-640-480. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 8
#define MOST_BYTES (1 << 20)
#define FPS 30
#define PICTURES 10

static int camera = -1, buffers, queued[BUFFERS], waiting;
static long shown;
static double began_s;
static void *memory[BUFFERS];
static struct v4l2_format format;

static const char *in_folder(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", getenv("FAKE_CAMERA"), name);
    return path;
}

static int there(const char *name) { return access(in_folder(name), F_OK) == 0; }

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static long due(void) { return (long)((now_s() - began_s) * FPS); }

static void note(const char *what, unsigned a, unsigned b) {
    static int count;
    char name[64];
    do
        snprintf(name, sizeof name, "asked-%04d-%s-%u-%u", ++count, what, a, b);
    while (there(name));
    close(creat(in_folder(name), 0600));
}

static int fail(int why) {
    errno = why;
    return -1;
}

static int read_picture(void *into) {
    char name[32];
    snprintf(name, sizeof name, "%ld.jpg", there("frozen") ? 0 : shown % PICTURES);
    FILE *file = fopen(in_folder(name), "r");
    int bytes = file ? (int)fread(into, 1, MOST_BYTES, file) : 0;
    if (file)
        fclose(file);
    return bytes;
}

static int take(struct v4l2_buffer *buffer) {
    if (due() <= shown || !waiting)
        return fail(EAGAIN);
    shown = due();
    double t_s = began_s + (double)shown / FPS;
    int index = queued[0];
    memmove(queued, queued + 1, --waiting * sizeof *queued);
    buffer->index = index;
    buffer->length = MOST_BYTES;
    buffer->bytesused = read_picture(memory[index]);
    buffer->sequence = shown;
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_MAPPED;
    buffer->timestamp.tv_sec = (long)t_s;
    buffer->timestamp.tv_usec = (long)((t_s - (long)t_s) * 1e6);
    return 0;
}

static int control(struct v4l2_control *asked) {
    if (asked->id == V4L2_CID_EXPOSURE_ABSOLUTE)
        asked->value = 156; /* of 100 microseconds */
    else if (asked->id == V4L2_CID_GAIN)
        asked->value = 20;
    else
        return fail(EINVAL);
    return 0;
}

static int answer(unsigned long request, void *about) {
    if (!there("video"))
        return fail(ENODEV);
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *able = about;
        memset(able, 0, sizeof *able);
        able->capabilities = able->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    }
    case VIDIOC_ENUMINPUT:
        return ((struct v4l2_input *)about)->index ? fail(EINVAL) : 0;
    case VIDIOC_G_INPUT:
        *(int *)about = 0;
        return 0;
    case VIDIOC_S_INPUT:
        return 0;
    case VIDIOC_G_FMT:
        *(struct v4l2_format *)about = format;
        return 0;
    case VIDIOC_TRY_FMT:
    case VIDIOC_S_FMT: {
        struct v4l2_pix_format *wanted = &((struct v4l2_format *)about)->fmt.pix;
        if (wanted->pixelformat != V4L2_PIX_FMT_MJPEG && wanted->pixelformat != V4L2_PIX_FMT_YUYV)
            return fail(EINVAL);
        wanted->sizeimage = MOST_BYTES;
        wanted->bytesperline = 0;
        wanted->field = V4L2_FIELD_NONE;
        format = *(struct v4l2_format *)about;
        note(wanted->pixelformat == V4L2_PIX_FMT_MJPEG ? "MJPG" : "YUYV", wanted->width,
             wanted->height);
        return 0;
    }
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
        struct v4l2_captureparm *pace = &((struct v4l2_streamparm *)about)->parm.capture;
        if (request == VIDIOC_S_PARM)
            note("fps", pace->timeperframe.denominator, pace->timeperframe.numerator);
        pace->capability = V4L2_CAP_TIMEPERFRAME;
        pace->timeperframe.numerator = 1;
        pace->timeperframe.denominator = FPS;
        return 0;
    }
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *wanted = about;
        buffers = wanted->count = wanted->count < BUFFERS ? wanted->count : BUFFERS;
        waiting = 0;
        return 0;
    }
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = about;
        buffer->length = MOST_BYTES;
        buffer->m.offset = buffer->index * MOST_BYTES;
        return 0;
    }
    case VIDIOC_QBUF:
        queued[waiting++] = ((struct v4l2_buffer *)about)->index;
        return 0;
    case VIDIOC_DQBUF:
        return take(about);
    case VIDIOC_STREAMON:
        began_s = now_s();
        shown = -1;
        return 0;
    case VIDIOC_STREAMOFF:
        waiting = 0;
        return 0;
    case VIDIOC_QUERYCTRL: {
        struct v4l2_queryctrl *asked = about;
        struct v4l2_control probe = {.id = asked->id};
        asked->flags = 0;
        asked->minimum = 0;
        asked->maximum = 5000;
        return control(&probe);
    }
    case VIDIOC_G_CTRL:
        return control(about);
    }
    return fail(EINVAL);
}

#define REAL(name) dlsym(RTLD_NEXT, name)

static int open_as(const char *real, const char *path, int flags, mode_t mode) {
    int (*next)(const char *, int, ...) = REAL(real);
    int file = next(path, flags, mode);
    if (file >= 0 && getenv("FAKE_CAMERA") && strcmp(path, in_folder("video")) == 0)
        camera = file;
    return file;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = va_arg(more, mode_t);                                                        \
        va_end(more);                                                                              \
        return open_as(#name, path, flags, mode);                                                  \
    }
OPEN(open)
OPEN(open64)

int ioctl(int file, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *about = va_arg(more, void *);
    va_end(more);
    if (file == camera)
        return answer(request, about);
    int (*next)(int, unsigned long, ...) = REAL("ioctl");
    return next(file, request, about);
}

void *mmap64(void *at, size_t length, int how, int flags, int file, off64_t offset) {
    void *(*next)(void *, size_t, int, int, int, off64_t) = REAL("mmap64");
    if (file < 0 || file != camera)
        return next(at, length, how, flags, file, offset);
    void *place = next(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory[offset / MOST_BYTES] = place;
}

void *mmap(void *at, size_t length, int how, int flags, int file, off_t offset) {
    return mmap64(at, length, how, flags, file, offset);
}

int select(int most, fd_set *readable, fd_set *writable, fd_set *odd, struct timeval *patience) {
    int (*next)(int, fd_set *, fd_set *, fd_set *, struct timeval *) = REAL("select");
    if (camera < 0 || !readable || !FD_ISSET(camera, readable))
        return next(most, readable, writable, odd, patience);
    while (there("video") && due() <= shown)
        usleep(1000);
    return 1;
}

int close(int file) {
    int (*next)(int) = REAL("close");
    if (file == camera)
        camera = -1;
    return next(file);
}
