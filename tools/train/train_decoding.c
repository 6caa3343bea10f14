#include "tools/train/train_decoding.h"

#include "tools/annotate/image_load.h"
#include "tools/interrupt.h"

limn_status limn_train_decode(void *decoders, uint8_t *pixels, const void *bytes, size_t size,
                              const limn_encoder_input_settings *input, limn_error *err)
{
    const limn_image_load load = { .plan = { .inputs = { *input }, .n_inputs = 1 } };
    limn_resize_scratch scratch = { 0 };
    if (decoders)
        return limn_sandbox_run(decoders, pixels, limn_image_load_size(&load), bytes, size, &load,
                                sizeof load, limn_interrupt_flag(), err);
    const limn_status s = limn_image_load_run(pixels, bytes, size, &load, &scratch, err);
    limn_resize_scratch_finish(&scratch);
    return s;
}
