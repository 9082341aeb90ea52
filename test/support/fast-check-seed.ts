/** Every run tries the same samples; `LONGSHORE_SEED` tries others. */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.LONGSHORE_SEED ?? 1) });
