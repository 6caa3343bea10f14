#include "models/model_tensors.h"

#include "common/base/mem.h"
#include "decoder/decoder_tensors.h"

static limn_status list_specs(limn_tensor_spec **out, size_t *n_specs,
                              const limn_tensor_table *table, limn_error *err)
{
    limn_tensor_spec *specs = limn_calloc(table->n_rows * LIMN_ROW_MAX_TENSORS, sizeof *specs);
    size_t n = 0;
    if (!specs) return limn_fail(err, LIMN_E_NOMEM, "out of memory for %zu tensors", table->n_rows);
    for (size_t i = 0; i < table->n_rows; i++)
        n += limn_tensor_row_specs(specs + n, &table->rows[i]);
    *out = specs;
    *n_specs = n;
    return LIMN_OK;
}

limn_status limn_model_tensor_specs(limn_tensor_spec **out, size_t *n_specs,
                                    const limn_model_config *config, limn_error *err)
{
    limn_tensor_table table = { 0 };
    LIMN_TRY(limn_encoder_check(&config->encoder, err));
    limn_encoder_tensors(&table, &config->encoder);
    if (config->has_decoder) limn_decoder_tensors(&table, &config->decoder);
    limn_status status = limn_tensor_table_check(&table, err);
    if (status == LIMN_OK) status = list_specs(out, n_specs, &table, err);
    limn_tensor_table_finish(&table);
    return status;
}
