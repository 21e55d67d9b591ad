import type { RawInvoice, Row } from './records.js';

const ORDINARY: Row = {
  StockCode: '71053',
  Description: 'WHITE METAL LANTERN',
  Quantity: '1',
  InvoiceDate: '2010-12-01 08:26:00',
  UnitPrice: '3.39',
  CustomerID: '17850.0',
  Country: 'United Kingdom',
};

/** One invoice of every kind the file holds; with these `autoflow test retail-orders` tries the pipeline. */
export const samples: readonly RawInvoice[] = [
  invoice('536365', [
    { StockCode: '85123A', Quantity: '6', UnitPrice: '2.55' },
    { StockCode: 'POST', Description: 'POSTAGE', UnitPrice: '18.0' },
  ]),
  invoice('536370', [{ StockCode: '22728', Quantity: '24', UnitPrice: '3.75' }], { CustomerID: '12583.0', Country: 'France' }),
  invoice('536389', [{ StockCode: '22941', Quantity: '6', UnitPrice: '8.5' }], { CustomerID: '12431.0', Country: 'Japan' }),
  invoice('536373', [
    { StockCode: '21730', Quantity: '6', UnitPrice: '4.95' },
    { StockCode: '21730', Quantity: '6', UnitPrice: '4.95' },
  ]),
  invoice('C536379', [{ StockCode: 'D', Description: 'Discount', Quantity: '-1', UnitPrice: '27.5' }], { CustomerID: '14527.0' }),
  invoice('536544', [{ StockCode: '21773', UnitPrice: '2.51' }], { CustomerID: '' }),
  invoice('536414', [{ StockCode: '22139', Description: '', Quantity: '56', UnitPrice: '0.0' }], { CustomerID: '' }),
  invoice('543599', [{ StockCode: '84535B', Quantity: '16', UnitPrice: '0.0' }], { CustomerID: '17560.0' }),
  invoice('536390', [
    { StockCode: '22941', Quantity: '-2', UnitPrice: '8.5' },
    { StockCode: '22960', UnitPrice: '0.001' },
    { StockCode: 'M', UnitPrice: '0.5' },
  ]),
];

function invoice(InvoiceNo: string, lines: readonly Partial<Row>[], head: Partial<Row> = {}): RawInvoice {
  return { InvoiceNo, rows: lines.map((line) => ({ ...ORDINARY, ...head, ...line })) };
}
